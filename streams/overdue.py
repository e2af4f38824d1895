"""What can be done for images without an outcome: announce them again, tell of outcomes nobody counted, time out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from storage import keys
from storage.claims import Claims
from storage.objects import Store
from streams import announce
from streams.events import Event, ImageEnded, ImageFound, Lane, Outcome, SliceListed, UploadReceived
from streams.failure import Rejected
from streams.jobs import ledger
from streams.jobs.records import Job
from streams.jobs.tally import RoundTallies, Tally, numbers
from streams.rejection import reject
from streams.unzip import whole

THREADS = 8


def upload_again(job: Job) -> UploadReceived:
    """The event that has the job's archive listed."""
    return UploadReceived(
        job=job.job,
        object=job.object,
        model=job.model,
        options=job.options.model_dump(exclude_none=True),
        etag=job.etag,
        submission=job.submission,
        name=job.name,
    )


def slices_again(job: str, lane: Lane, missing: Mapping[int, int]) -> list[Event]:
    """The slices in which images have no outcome, by round."""
    return [
        SliceListed(job=job, lane=lane, shard=shard, round=round_, again=True)
        for round_, images in missing.items()
        for shard in range(images.bit_length() // keys.SHARD + 1)
        if images >> shard * keys.SHARD & (1 << keys.SHARD) - 1
    ]


def ends_again(job: str, lane: Lane, found: RoundTallies, ticked: Tally, images: int) -> Iterator[Event]:
    """The ends that the outcome objects tell of, but no tally."""
    stored = found.standing(images)
    labelled = stored.labelled & ~ticked.labelled
    rejected = stored.rejected & ~stored.labelled & ~ticked.rejected
    kinds: list[tuple[Outcome, int]] = [("labelled", labelled), ("rejected", rejected)]
    for outcome, bits in kinds:
        for image in numbers(bits):
            round_ = found.round_of(image)
            yield ImageEnded(job=job, lane=lane, image=image, round=round_, outcome=outcome, fanned_out=True)


def time_out(store: Store, job: Job, lane: Lane, round_: int, images: Iterable[int], deadline: float) -> list[Event]:
    """The ends of images whose time is over: rejected as `timeout`, unless an outcome has come just now."""

    def end(image: ImageFound) -> Event:
        return ledger.ended(store, image) or _rejected(store, image, deadline)

    with ThreadPoolExecutor(THREADS, "overdue") as pool:
        return list(pool.map(end, _found(store, job, lane, round_, images)))


def time_out_listing(store: Store, job: Job) -> list[Event]:
    """The end of a job whose archive was never listed: it counts as one image.

    A manifest that is being written is awaited, whoever writes it: two at once would be none.
    """
    if ledger.read_index(store, job.job) is None and ledger.exists(store, keys.manifest_shard(job.job, 0)):
        return [upload_again(job)]
    index, _ = ledger.write_manifest(store, job.job, [whole(job)], Lane.INTERACTIVE)
    if index.images != 1:
        return []  # listed just now; the next look finds its images
    return time_out(store, job, Lane.INTERACTIVE, 0, [0], job.deadline)


def _found(store: Store, job: Job, lane: Lane, round_: int, images: Iterable[int]) -> Iterator[ImageFound]:
    by_shard: Callable[[int], int] = lambda image: image // keys.SHARD  # noqa: E731
    for shard, some in groupby(images, by_shard):
        wanted = set(some)
        listed = SliceListed(job=job.job, lane=lane, shard=shard, round=round_, again=True)
        entries = ledger.read_shard(store, job.job, shard).images
        yield from (announce.found(listed, entry, job) for entry in entries if entry.image in wanted)


def _rejected(store: Store, image: ImageFound, deadline: float) -> ImageEnded:
    why = Rejected("timeout", f"{image.name} was not finished within its deadline of {_words(deadline)}")
    claims = Claims(store)
    ended = reject(image, why, claims, attempts=image.attempt + 1)
    for key in ended.claimed:
        claims.store(key)
    return ended.model_copy(update={"fanned_out": True})


def _words(seconds: float) -> str:
    if seconds < 2 * 3600:
        return "1 minute" if seconds == 60 else f"{seconds / 60:.3g} minutes"
    return f"{seconds / 3600:.3g} hours"
