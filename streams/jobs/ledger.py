"""The bucket is the ledger: jobs, manifests and outcomes as objects, and a job's state derived from them.

At any moment `images = labelled + rejected + cancelled + in flight`; which objects exist decides: labelled, over
rejected in the image's current round, over cancelled, over in flight. Tallies only make the answer fast.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel

from storage import keys
from storage.objects import NotFound, Store
from streams import runs
from streams.events import ImageEnded, ImageEvent, Lane, Outcome, Rejection
from streams.jobs.records import (
    Cancelled,
    Clock,
    Done,
    Entry,
    Held,
    Job,
    JobState,
    ManifestIndex,
    ManifestShard,
    Round,
)
from streams.jobs.tally import RoundTallies, Tally, bitmap, numbers

R = TypeVar("R", bound=BaseModel)


class NoSuchJob(Exception):
    """Nothing in the bucket says that this job was ever accepted."""


def read(store: Store, key: str, kind: type[R]) -> R | None:
    """A stored record, or none."""
    try:
        return kind.model_validate_json(store.get(key))
    except NotFound:
        return None


def write(store: Store, key: str, record: BaseModel) -> None:
    """Store a record; the same record gives the same bytes."""
    store.put(key, record.model_dump_json(exclude_none=True).encode())


def read_job(store: Store, job: str) -> Job:
    """The accepted job; raises `NoSuchJob`."""
    found = read(store, keys.job(job), Job)
    if found is None:
        raise NoSuchJob(f"there is no job {job}")
    return found


def tenants(store: Store) -> list[str]:
    """Whoever has something in the bucket; the first is nobody in particular, and called nothing."""
    return ["", *(name for name in store.folders("") if keys.is_tenant(name))]


def ids(store: Store, of: Iterable[str] | None = None) -> Iterator[str]:
    """Every job of some tenants, or of all, also what is left of deleted ones."""
    for tenant in tenants(store) if of is None else of:
        found = store.folders(keys.own(tenant, keys.JOBS))
        yield from (job for job in found if keys.tenant_of_job(job) == tenant)


def jobs(store: Store) -> Iterator[Job]:
    """Every accepted job, in no order that means anything."""
    for job in ids(store):
        found = read(store, keys.job(job), Job)
        if found is not None:
            yield found


def open_jobs(store: Store) -> Iterator[str]:
    """The ids of the jobs that are not done."""
    return (stat.key.removeprefix(keys.OPEN) for stat in store.list(keys.OPEN))


def read_index(store: Store, job: str) -> ManifestIndex | None:
    """How many images the job has, or none while that is not known."""
    return read(store, keys.manifest_index(job), ManifestIndex)


def write_manifest(store: Store, job: str, images: Sequence[Entry], lane: Lane) -> tuple[ManifestIndex, bool]:
    """Write down all images of a job, the index last, so that it stands for its shards; tells whether it did.

    A manifest that is there stays what it is, and is returned: the job's time may have ended while it was listed.
    """
    if (known := read_index(store, job)) is not None:
        return known, False
    firsts = range(0, len(images), keys.SHARD)
    for first in firsts:
        shard = ManifestShard(job=job, shard=first // keys.SHARD, images=list(images[first : first + keys.SHARD]))
        write(store, keys.manifest_shard(job, shard.shard), shard)
    if (known := read_index(store, job)) is not None:
        return known, False
    index = ManifestIndex(job=job, images=len(images), shards=len(firsts), lane=lane)
    write(store, keys.manifest_index(job), index)
    return index, True


def read_shard(store: Store, job: str, shard: int) -> ManifestShard:
    """The job's images from `shard * 1,000` on; raises `NotFound`."""
    return ManifestShard.model_validate_json(store.get(keys.manifest_shard(job, shard)))


def entries(store: Store, job: str) -> Iterator[Entry]:
    """Every image of the job, in order; nothing while the archive is still being listed."""
    index = read_index(store, job)
    for shard in range(index.shards if index else 0):
        yield from read_shard(store, job, shard).images


def read_rounds(store: Store, job: str) -> list[Round]:
    """The job's replays, the oldest first; those that were asked for at once are one."""
    rounds: dict[int, Round] = {}
    for stat in store.list(keys.rounds(job)):
        if (found := read(store, stat.key, Round)) is not None:
            rounds[found.round] = found.beside(rounds.get(found.round))
    return [rounds[number] for number in sorted(rounds)]


def read_round(store: Store, job: str, number: int) -> Round:
    """One replay of the job; raises `NotFound`."""
    for round_ in read_rounds(store, job):
        if round_.round == number:
            return round_
    raise NotFound(f"round {number} of job {job}")


def read_done(store: Store, job: str, newest: int | None = None) -> Done | None:
    """The job's end, or none: a replay after it opens the job again.

    Parameters
    ----------
    newest
        The job's newest round, where the caller knows it.
    """
    done = read(store, keys.done(job), Done)
    if done is None:
        return None
    if newest is None:
        newest = max((round_.round for round_ in read_rounds(store, job)), default=0)
    return done if done.round >= newest else None


def ended_in(store: Store, job: str, shard: int, round_: int = 0) -> dict[int, Outcome]:
    """The images of one shard that have an outcome in a round, and which; a label counts in every round."""
    rejected = store.list(f"{keys.rejected_prefix(job)}{shard:05d}/")
    labelled = store.list(f"{keys.labels_prefix(job)}{shard:05d}/")
    found: dict[int, Outcome] = {
        keys.image_of(stat.key): "rejected" for stat in rejected if keys.round_of(stat.key) == round_
    }
    return found | {keys.image_of(stat.key): "labelled" for stat in labelled}


def ended(store: Store, event: ImageEvent) -> ImageEnded | None:
    """The end that the image of an event already has in its round, as the bucket says; none while it is in flight."""
    outcomes: tuple[Outcome, ...] = ("labelled", "rejected")
    for outcome in outcomes:
        ended = ImageEnded(
            job=event.job, lane=event.lane, image=event.image, round=event.round, outcome=outcome, fanned_out=True
        )
        with suppress(NotFound):
            [key] = ended.claimed
            return ended.model_copy(update={"ran": runs.noted(store.stat(key).note)})
    return None


def remove_scratch(store: Store, job: str, image: int) -> None:
    """Remove what stood between an image's stages: its outcome is durable."""
    store.delete([stat.key for stat in store.list(keys.scratch(job, image))])


def exists(store: Store, key: str) -> bool:
    """Whether there is such an object."""
    try:
        store.stat(key)
    except NotFound:
        return False
    return True


def read_outcomes(store: Store, job: str, rounds: list[Round] | None = None) -> RoundTallies:
    """What the outcome objects say, by round: two listings as long as the job is large."""
    found = replays(read_rounds(store, job) if rounds is None else rounds)
    rejected: dict[int, list[int]] = defaultdict(list)
    for stat in store.list(keys.rejected_prefix(job)):
        rejected[keys.round_of(stat.key)].append(keys.image_of(stat.key))
    for round_, images in rejected.items():
        found.of(round_).rejected = bitmap(images)
    found.of(0).labelled = bitmap(keys.image_of(stat.key) for stat in store.list(keys.labels_prefix(job)))
    return found


def read_tallies(store: Store, job: str, rounds: list[Round] | None = None) -> RoundTallies:
    """What the job's owners have ticked off, by round."""
    found = replays(read_rounds(store, job) if rounds is None else rounds)
    for stat in store.list(keys.tallies(job)):
        found.of(keys.round_of_tally(stat.key)).merge(Tally.decode(store.get(stat.key)))
    return found


def replays(rounds: list[Round]) -> RoundTallies:
    """An empty tally of a job with these replays."""
    return RoundTallies({round_.round: bitmap(round_.images) for round_ in rounds})


def outcomes(store: Store, job: str, images: int) -> Tally:
    """What became of each of so many images, read from the outcome objects themselves."""
    return read_outcomes(store, job).standing(images)


def tallied(store: Store, job: str) -> Tally:
    """What the job's owners have ticked off: never more than the outcome objects say, perhaps a second behind."""
    return read_tallies(store, job).standing()


def rejections(store: Store, job: str, first: int = 0) -> Iterator[Rejection]:
    """The stories of the job's rejected images from one on, in order.

    Not those labelled, nor those sent through again since.
    """
    found = read_outcomes(store, job)
    standing = found.standing()
    for image in numbers((standing.rejected & ~standing.labelled) >> first << first):
        story = read(store, keys.rejection(job, image, found.round_of(image)), Rejection)
        if story is not None:
            yield story


def state(store: Store, job: str) -> JobState:
    """Where the job stands: a handful of small reads, whatever its size. Raises `NoSuchJob`."""
    accepted, rounds = read_job(store, job), read_rounds(store, job)
    newest = max((round_.round for round_ in rounds), default=0)
    done = read_done(store, job, newest)
    if done:
        ends = done.model_dump(include={"images", "labelled", "rejected", "cancelled"})
        return _state(accepted, rounds, done.finished, state="done", in_flight=0, usage=done.usage, **ends)
    index, cancelled = read_index(store, job), read(store, keys.cancelled(job), Cancelled)
    labelled, rejected = read_tallies(store, job, rounds).standing().counts()
    images = index.images if index else 1 if cancelled else None  # never listed, it counts as one
    counts: dict[str, object] = {"images": images, "labelled": labelled, "rejected": rejected}
    rest = None if images is None else images - labelled - rejected
    clock = read(store, keys.open_job(job), Clock)
    counts["usage"] = clock.usage if clock else None
    if cancelled:
        return _state(accepted, rounds, cancelled.created, state="done", cancelled=rest, in_flight=0, **counts)
    why = {"held": _held(store, accepted), "waiting": clock.waiting if clock else ""}
    name = "running" if index else "listing"
    return _state(accepted, rounds, time.time(), state=name, cancelled=0, in_flight=rest, **counts, **why)


def _state(job: Job, rounds: list[Round], until: float, **fields: object) -> JobState:
    known: dict[str, object] = {
        "round": rounds[-1].round if rounds else 0,
        "deadline": rounds[-1].deadline if rounds else job.deadline,
        "seconds": _since(job.created, until),
        "round_seconds": _since(rounds[-1].created, until) if rounds else None,
    }
    return JobState.model_validate(job.model_dump(include={"job", "name", "model", "created"}) | known | fields)


def _since(begun: float, until: float) -> float:
    return round(max(0.0, until - begun), 3)


def _held(store: Store, job: Job) -> str:
    for what in (job.job, f"{keys.MODEL}{job.model_digest}"):
        found = read(store, keys.held(what), Held)
        if found and found.released is None:
            return found.why
    return ""
