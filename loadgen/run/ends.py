"""What became of a run's images, as topics and records tell: when each ended, how, and what was measured."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from loadgen.bucket import Bucket
from loadgen.topics import Topics
from loadgen.verify import records
from loadgen.verify.records import DoneRecord, IndexRecord, JobRecord, Unreadable
from observability.cost import Usage
from storage import keys
from streams.events import ImageEnded, NewerEvent, NotAnEvent
from streams.runs import Run


@dataclass(frozen=True, slots=True)
class End:
    """How an image ended, and when that was announced (seconds since 1970)."""

    at: float
    outcome: str
    reason: str = ""
    runs: tuple[Run, ...] = ()
    """What was measured on the way; nothing where the system isn't observed."""

    @property
    def attempts(self) -> int:
        """How often its last run was tried; 0 where nobody told."""
        return self.runs[-1].attempt + 1 if self.runs else 0


class Finished(DoneRecord):
    """`done.json`, with what the job used."""

    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class JobEnds:
    """A job as its records tell of it."""

    created: float = 0.0
    """When it was accepted, by the API's clock; 0 where nobody knows."""
    images: int = 0
    """That were found in its archive."""
    finished: float = 0.0
    """0 while it is not over."""
    usage: Usage | None = None
    ends: dict[int, End] = field(default_factory=dict)


Ends = Mapping[str, JobEnds]
"""By job."""


def read_ends(bucket: Bucket, topics: Topics, jobs: Collection[str]) -> dict[str, JobEnds]:
    """What became of the images of these jobs; raises `BucketAway` and `TopicsAway`.

    Of several announcements of an image the first counts, unless it was rejected and has got its labels later.
    """
    found = {job: _read_job(bucket, job) for job in jobs}
    for record in topics.read(ImageEnded.topic):
        try:
            told = ImageEnded.decode(record.value)
        except (NotAnEvent, NewerEvent):
            continue
        if told.job in found:
            _enter(found[told.job].ends, told, record.at)
    return found


def _enter(ends: dict[int, End], told: ImageEnded, at: float) -> None:
    known = ends.get(told.image)
    if known is None or (known.outcome == "rejected" and told.outcome == "labelled"):
        ends[told.image] = End(at, told.outcome, told.reason or "", told.ran or ())


def _read_job(bucket: Bucket, job: str) -> JobEnds:
    accepted = _read(bucket, JobRecord, keys.job(job))
    index = _read(bucket, IndexRecord, keys.manifest_index(job))
    done = _read(bucket, Finished, keys.done(job))
    return JobEnds(
        created=accepted.created if accepted else 0.0,
        images=index.images if index else 0,
        finished=done.finished if done else 0.0,
        usage=done.usage if done else None,
    )


def _read(bucket: Bucket, kind: type[records.Any_], key: str) -> records.Any_ | None:
    data = bucket.get(key)
    try:
        return records.read(kind, data) if data is not None else None
    except Unreadable:
        return None  # the verdict says so
