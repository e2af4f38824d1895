"""Replay: a durable round in which a job's rejected images go through once more, from its manifest (rule 6)."""

import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from uuid import uuid4

from storage import keys
from storage.objects import NotFound, Store
from streams.events import ReasonClass, SliceListed
from streams.jobs import ending, ledger, markers
from streams.jobs.records import Job, ManifestIndex, Round
from streams.jobs.tally import numbers
from streams.notices import owed


class NothingToReplay(Exception):
    """No rejected image of the job is what was asked for; the message is a sentence."""


class CannotReplay(Exception):
    """The job can't be worked on any more; the message is a sentence."""


def replay(
    store: Store,
    job: str,
    reason: ReasonClass | None = None,
    image: str | None = None,
    deadline: float | None = None,
    now: Callable[[], float] = time.time,
) -> Round:
    """Write down that rejected images go through again; whoever asked announces the round's `slices` then.

    The job may still be running. If nobody announces the slices, the job's sweeper does. Two replays at once may be one
    round, of what either asked for.

    Parameters
    ----------
    reason
        Only images rejected for this reason.
    image
        Only images of this name in the manifest; `*` and `?` stand for any characters.
    deadline
        Seconds, where it isn't the job's.

    Raises
    ------
    NoSuchJob, NothingToReplay, CannotReplay
    """
    accepted = ledger.read_job(store, job)
    _check(store, accepted)
    index = ledger.read_index(store, job)
    if index is None:
        raise NothingToReplay(f"the archive of job {job} is still being listed; none of its images is rejected")
    chosen = sorted(_chosen(store, index, reason, image))
    if not chosen:
        raise NothingToReplay(_nothing(job, reason, image))
    if ledger.read_done(store, job) is not None:
        _catch_up(store, job)
    while True:
        number = max((round_.round for round_ in ledger.read_rounds(store, job)), default=0) + 1
        round_ = Round(
            job=job,
            round=number,
            images=chosen,
            created=now(),
            deadline=deadline or accepted.deadline,
            lane=index.lane,
            reason=reason,
            name=image,
        )
        key = keys.round_(job, number, uuid4().hex[:8])
        ledger.write(store, key, round_)
        if ledger.read_done(store, job, number) is None:
            break
        store.delete([key])  # another of this number came and ended meanwhile
    ending.reopen(store, job)
    owed.owe(store, accepted, number)
    return round_


def _catch_up(store: Store, job: str) -> None:
    """Write a tally of all outcomes: labels that came after the end are in no other, and tallies count from here on."""
    for round_, tally in ledger.read_outcomes(store, job).rounds.items():
        store.put(keys.tally(job, f"replay-{uuid4().hex[:8]}", round_), tally.encode())


def slices(round_: Round) -> list[SliceListed]:
    """What announces the images of a round, one slice for each shard of the manifest that has some of them."""
    shards = sorted({image // keys.SHARD for image in round_.images})
    return [
        SliceListed(job=round_.job, lane=round_.lane, shard=shard, round=round_.round, again=True) for shard in shards
    ]


def _check(store: Store, job: Job) -> None:
    if markers.is_cancelled(store, job.job):
        raise CannotReplay(f"job {job.job} was cancelled; submit {job.name} again")
    if job.refused:
        raise CannotReplay(f"job {job.job} was refused as a whole: {job.refused}; submit {job.name} again")
    if ledger.exists(store, keys.deleted(job.job)):
        raise CannotReplay(f"job {job.job} is being deleted; submit {job.name} again")
    try:
        stat = store.stat(job.object)
    except NotFound:
        raise CannotReplay(f"the input of job {job.job} is gone: {job.object} is not in the bucket any more") from None
    if stat.etag != job.etag:
        raise CannotReplay(f"the input of job {job.job} was replaced: {job.object} is another object now")


def _chosen(store: Store, index: ManifestIndex, reason: ReasonClass | None, image: str | None) -> set[int]:
    if reason is not None:
        chosen = {story.image for story in ledger.rejections(store, index.job) if story.reason == reason}
    else:
        standing = ledger.outcomes(store, index.job, index.images)
        chosen = set(numbers(standing.rejected & ~standing.labelled))
    return chosen if image is None else chosen & set(_named(store, index, image, chosen))


def _named(store: Store, index: ManifestIndex, image: str, chosen: set[int]) -> Iterator[int]:
    for shard in sorted({number // keys.SHARD for number in chosen}):
        for entry in ledger.read_shard(store, index.job, shard).images:
            if image == entry.name or fnmatchcase(entry.name, image.replace("[", "[[]")):
                yield entry.image


def _nothing(job: str, reason: ReasonClass | None, image: str | None) -> str:
    asked = f" as {reason}" if reason else ""
    called = f" called {image!r}" if image else ""
    return f"job {job} has no image{called} that stands rejected{asked}"
