"""What came in: each record of the topic `uploads` and each object of the inbox became a job, or is found set aside."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from loadgen.bucket import Bucket
from loadgen.topics import Ends, Record, Topics
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.checks import Moment
from loadgen.verify.records import DeletedRecord, JobRecord
from loadgen.verify.tenants import tenants
from storage import keys
from streams.events import NewerEvent, NotAnEvent, Options, UploadReceived

UPLOADS = UploadReceived.topic
READER = "unzip"
"""The group that answers for uploads, named after its stage."""
TAKEN_SECONDS = 180.0
"""An object of the inbox is a job within so long."""
Work = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Uploads:
    """What stood on `uploads` at one moment, and up to where it had been answered for."""

    records: list[Record] = field(default_factory=list)
    answered: Ends = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)

    def due(self, record: Record, settled: bool) -> bool:
        """Whether there should be something in the bucket for a record."""
        return settled or record.offset < self.answered.get(record.partition, 0)


def read_uploads(topics: Topics) -> Uploads:
    """The topic as it stands; what it claims is looked for in the bucket afterwards. Raises `TopicsAway`."""
    answered = topics.committed(UPLOADS, READER)
    return Uploads(list(topics.read(UPLOADS)), answered, topics.forgotten(UPLOADS))


def lost(
    uploads: Uploads, jobs: Iterable[JobRecord], deleted: Iterable[DeletedRecord], bucket: Bucket, settled: bool
) -> Iterator[Anomaly]:
    """The uploads that became no job, never were one that is deleted, and were not set aside."""
    known = _Known(jobs, deleted)
    for record in uploads.records:
        if not uploads.due(record, settled):
            continue
        upload = _decode(record)
        if upload is not None and known.has(upload):
            continue
        aside = keys.quarantine(UPLOADS, record.partition, record.offset)
        if bucket.get(aside) is None:
            named = f"of {upload.object}" if upload else f"of {len(record.value)} bytes"
            where = f"offset {record.offset} of partition {record.partition}"
            sentence = f"the upload {named} at {where} became no job, and was not set aside as {aside}"
            yield Anomaly(Kind.LOST, upload.job if upload else "", sentence)


def untaken(
    bucket: Bucket, jobs: Iterable[JobRecord], deleted: Iterable[DeletedRecord], moment: Moment
) -> Iterator[Anomaly]:
    """What lies in the inbox, in a model's folder, and became no job although somebody looks every few seconds."""
    known = [*((job.object, job.etag) for job in jobs), *((gone.object, gone.etag) for gone in deleted)]
    etags: dict[str, set[str]] = defaultdict(set)
    for key, etag in known:
        etags[key].add(etag)
    inboxes = [keys.own(tenant, keys.INBOX) for tenant in tenants(bucket)]
    for found in (found for inbox in inboxes for found in bucket.list(inbox)):
        if not _is_upload(found.key) or not moment.judges(found.modified, TAKEN_SECONDS):
            continue
        taken = any(not etag or bucket.size(found.key, etag) is not None for etag in etags[found.key])
        if not taken and bucket.part(found.key, 0, 1, "") is not None:
            sentence = f"{found.key} lies in the inbox for {moment.now - found.modified:.0f} s, and became no job"
            yield Anomaly(Kind.LOST, "", sentence)


def twice(jobs: Iterable[JobRecord]) -> Iterator[Anomaly]:
    """Two jobs of the same work. A refused job does none, and keeps no options to compare."""
    first: dict[Work, str] = {}
    for job in jobs:
        if job.refused:
            continue
        options = repr(sorted((name, value) for name, value in job.options.items() if value is not None))
        work = (job.object, job.etag, job.model, job.model_digest, options, job.submission)
        other = first.setdefault(work, job.job)
        if other != job.job:
            sentence = f"jobs {other} and {job.job} are the same work on {job.object}"
            yield Anomaly(Kind.DUPLICATED, job.job, sentence)


def _is_upload(key: str) -> bool:
    """Whether an object of the inbox is taken: it has a model's folder and a name that can be told, and no options."""
    try:
        UploadReceived(object=key)
    except ValidationError:
        return False
    inside = key.removeprefix(keys.own(keys.tenant_of(key), keys.INBOX))
    return "/" in inside and not key.endswith(("/", ".json"))


class _Known:
    """The accepted jobs, by what an upload can say of them."""

    def __init__(self, jobs: Iterable[JobRecord], deleted: Iterable[DeletedRecord]) -> None:
        gone = list(deleted)
        self._ids = {each.job for each in gone}
        self._gone: dict[str, set[str]] = defaultdict(set)
        for each in gone:
            self._gone[each.object].add(each.etag)
        self._named: dict[tuple[str, str, str], list[JobRecord]] = defaultdict(list)
        for job in jobs:
            self._ids.add(job.job)
            self._named[job.object, job.model, job.submission].append(job)

    def has(self, upload: UploadReceived) -> bool:
        """Whether a job stands for an upload: by its id, or by object, etag, model, submission and options."""
        if upload.job in self._ids or self._was_deleted(upload):
            return True
        candidates = self._named[upload.object, upload.model, upload.submission]
        same = [job for job in candidates if upload.etag in ("", job.etag)]  # the same key may be put to again
        return any(job.refused or _same_options(job, upload) for job in same)

    def _was_deleted(self, upload: UploadReceived) -> bool:
        """Whether a job of the upload's object is gone; whoever names an etag means those bytes only."""
        etags = self._gone.get(upload.object, set())
        return bool(etags and (not upload.etag or etags & {"", upload.etag}))


def _same_options(job: JobRecord, upload: UploadReceived) -> bool:
    try:
        asked = Options.model_validate(upload.options)
        return asked == Options.model_validate(job.options)
    except ValidationError:
        return False


def _decode(record: Record) -> UploadReceived | None:
    try:
        return UploadReceived.decode(record.value)
    except (NotAnEvent, NewerEvent):
        return None
