"""The bucket is the ledger: jobs, manifests and outcomes as objects, and a job's state derived from them.

At any moment `images = labelled + rejected + cancelled + in flight`; which objects exist decides, labelled over
rejected. Tallies only make the answer fast.
"""

import time
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from storage import keys
from storage.objects import NotFound, Store
from streams.events import VERSION, ImageEnded, ImageEvent, Lane, Options, Outcome, ReasonClass, Rejection, Source
from streams.tally import LABELLED, REJECTED, Tally


class NoSuchJob(Exception):
    """Nothing in the bucket says that this job was ever accepted."""


class Record(BaseModel):
    """What all stored records share: a version, and that unknown fields are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    v: int = VERSION


class Job(Record):
    """An accepted upload: one archive or one image, with one model and its options."""

    job: str
    name: str
    object: str
    etag: str
    size: int
    model: str
    model_digest: str
    options: Options = Options()
    submission: str = ""
    created: float = 0.0
    refused: str = ""
    """Why the whole job can't be worked on; empty when it can."""


class Entry(Record):
    """One image in the manifest."""

    image: int
    name: str
    source: Source
    problem: str = ""
    """What the archive's directory alone already tells against it; empty when nothing does."""
    reason: ReasonClass = "bad_input"
    """The class of that problem."""


class ManifestShard(Record):
    """Up to 1,000 images of a job."""

    job: str
    shard: int
    images: list[Entry]


class ManifestIndex(Record):
    """How many images a job has; written after its shards, so that it stands for all of them."""

    job: str
    images: int
    shards: int
    lane: Lane


class Done(Record):
    """The end of a job."""

    job: str
    images: int
    labelled: int
    rejected: int
    cancelled: int = 0
    finished: float
    """Seconds since 1970."""


class JobState(BaseModel):
    """A job at one moment; `images` is none while its archive is still being listed."""

    job: str
    name: str
    model: str
    created: float
    state: Literal["listing", "running", "done"]
    images: int | None
    labelled: int
    rejected: int
    cancelled: int
    in_flight: int | None
    seconds: float
    """From acceptance to the end, or to now."""


def read_job(store: Store, job: str) -> Job:
    """The accepted job; raises `NoSuchJob`."""
    try:
        return Job.model_validate_json(store.get(keys.job(job)))
    except NotFound:
        raise NoSuchJob(f"there is no job {job}") from None


def jobs(store: Store) -> Iterator[Job]:
    """Every accepted job, in no order that means anything."""
    for job in store.folders(keys.JOBS):
        try:
            yield read_job(store, job)
        except NoSuchJob:
            continue


def write(store: Store, key: str, record: BaseModel) -> None:
    """Store a record; the same record gives the same bytes."""
    store.put(key, record.model_dump_json(exclude_none=True).encode())


def read_index(store: Store, job: str) -> ManifestIndex | None:
    """How many images the job has, or none while that is not known."""
    try:
        return ManifestIndex.model_validate_json(store.get(keys.manifest_index(job)))
    except NotFound:
        return None


def read_shard(store: Store, job: str, shard: int) -> ManifestShard:
    """The job's images from `shard * 1,000` on; raises `NotFound`."""
    return ManifestShard.model_validate_json(store.get(keys.manifest_shard(job, shard)))


def entries(store: Store, job: str) -> Iterator[Entry]:
    """Every image of the job, in order; nothing while the archive is still being listed."""
    index = read_index(store, job)
    for shard in range(index.shards if index else 0):
        yield from read_shard(store, job, shard).images


def outcome_keys(store: Store, job: str) -> Iterator[tuple[int, str]]:
    """(image, key) of every outcome object of the job: labels first, then rejections."""
    for prefix in (keys.labels_prefix(job), keys.rejected_prefix(job)):
        for stat in store.list(prefix):
            yield keys.image_of(stat.key), stat.key


def ended_in(store: Store, job: str, shard: int) -> dict[int, Outcome]:
    """The images of one shard that have an outcome, and which."""
    rejected = store.list(f"{keys.rejected_prefix(job)}{shard:05d}/")
    labelled = store.list(f"{keys.labels_prefix(job)}{shard:05d}/")
    found: dict[int, Outcome] = {keys.image_of(stat.key): "rejected" for stat in rejected}
    return found | {keys.image_of(stat.key): "labelled" for stat in labelled}


def ended(store: Store, event: ImageEvent) -> ImageEnded | None:
    """The end that the image of an event already has, as the bucket says; none while it is in flight."""
    outcome: Outcome = "labelled"
    try:
        store.stat(keys.labels(event.job, event.image))
    except NotFound:
        outcome = "rejected"
        if not any(store.list(f"{keys.rejected_prefix(event.job)}{keys.image_id(event.image)}.")):
            return None
    return ImageEnded(
        job=event.job, lane=event.lane, image=event.image, round=event.round, outcome=outcome, fanned_out=True
    )


def outcomes(store: Store, job: str, images: int) -> Tally:
    """What became of each of so many images, read from the outcome objects themselves."""
    tally = Tally()
    for image, key in outcome_keys(store, job):
        if image >= images:
            continue
        tally.mark(image, LABELLED if key.startswith(keys.labels_prefix(job)) else REJECTED)
    return tally


def rejections(store: Store, job: str) -> Iterator[Rejection]:
    """The stories of the job's rejected images, the newest round of each, without those labelled after all."""
    newest: dict[int, tuple[int, str]] = {}
    labelled = set()
    for image, key in outcome_keys(store, job):
        if key.startswith(keys.labels_prefix(job)):
            labelled.add(image)
        else:
            round_ = int(key.rsplit(".", 2)[1])
            newest[image] = max(newest.get(image, (-1, "")), (round_, key))
    for image in sorted(newest.keys() - labelled):
        yield Rejection.model_validate_json(store.get(newest[image][1]))


def tallied(store: Store, job: str) -> Tally:
    """What the job's owners have ticked off: never more than the outcome objects say, perhaps a second behind."""
    tally = Tally()
    for stat in store.list(keys.tallies(job)):
        tally.merge(Tally.decode(store.get(stat.key)))
    return tally


def read_done(store: Store, job: str) -> Done | None:
    """The job's end, or none."""
    try:
        return Done.model_validate_json(store.get(keys.done(job)))
    except NotFound:
        return None


def state(store: Store, job: str) -> JobState:
    """Where the job stands: a handful of small reads, whatever its size. Raises `NoSuchJob`."""
    accepted = read_job(store, job)
    done = read_done(store, job)
    if done:
        return _state(accepted, "done", done.images, done.labelled, done.rejected, done.finished)
    index = read_index(store, job)
    counts = tallied(store, job).counts()
    images = index.images if index else None
    return _state(accepted, "running" if index else "listing", images, *counts, time.time())


def _state(
    job: Job,
    name: Literal["listing", "running", "done"],
    images: int | None,
    labelled: int,
    rejected: int,
    until: float,
) -> JobState:
    in_flight = None if images is None else images - labelled - rejected
    return JobState(
        job=job.job,
        name=job.name,
        model=job.model,
        created=job.created,
        state=name,
        images=images,
        labelled=labelled,
        rejected=rejected,
        cancelled=0,
        in_flight=in_flight,
        seconds=round(max(0.0, until - job.created), 3),
    )
