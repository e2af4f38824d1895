"""`unzip`: an upload becomes a job with a manifest, written before anyone is told of an image."""

from collections.abc import Iterator, Sequence

from storage.archives import AT_ONCE, Member, is_listed_soon, is_zip, list_members, ranges
from storage.objects import Changed, NotFound
from storage.unreadable import Unreadable
from streams import intake
from streams.announce import announce, begun
from streams.events import Event, Lane, SliceListed, Source, UploadReceived
from streams.failure import Rejected, verdict
from streams.jobs import ledger
from streams.jobs.records import Entry, Job, ManifestIndex
from streams.original import READINGS
from streams.tools import Tools

LISTED_TWICE = 2


async def unzip(upload: UploadReceived, tools: Tools) -> Sequence[Event]:
    """Write the job's manifest from its archive's directory, then announce it slice by slice; a small job's images.

    What can't be listed is a manifest of one image that is condemned. Once written, a manifest stays what it is.
    """
    async with tools.listing.small:
        try:
            job = await tools.fetch(_job, upload, tools)
        except intake.Gone:
            return []
        if await tools.fetch(ledger.read_done, tools.store, job.job, 0):
            return []
        known = await tools.fetch(ledger.read_index, tools.store, job.job)
        if known:
            return await _announced(known, tools)
        if not await tools.fetch(_is_large, job, tools):
            return await _listed_and_announced(job, tools)
    async with tools.listing.large:
        return await _listed_and_announced(job, tools)


async def condemn(upload: UploadReceived, why: Rejected, tools: Tools) -> Sequence[Event]:
    """The job of an upload that can't even be listed, its one image condemned; a manifest stays what it is."""
    job = await tools.fetch(_job, upload, tools)
    index = await tools.fetch(ledger.read_index, tools.store, job.job)
    if index is None:
        entry = whole(job).model_copy(update={"problem": why.message, "reason": why.reason})
        written, _ = await tools.fetch(ledger.write_manifest, tools.store, job.job, [entry], Lane.INTERACTIVE)
        return await _announced(written, tools)
    return await _announced(index, tools)


async def _listed_and_announced(job: Job, tools: Tools) -> Sequence[Event]:
    """Slices; of a small job the images themselves, which would wait behind the slices of large ones."""
    entries = await tools.fetch(_entries, job, tools)
    lane = Lane.INTERACTIVE if len(entries) <= tools.limits.interactive_images else Lane.BULK
    index, ours = await tools.fetch(ledger.write_manifest, tools.store, job.job, entries, lane)
    if not ours:
        return await _announced(index, tools)
    slices = _slices(index, again=False)
    return slices if lane is Lane.BULK else [begun(slices[0], entry, job, tools) for entry in entries]


async def _announced(index: ManifestIndex, tools: Tools) -> Sequence[Event]:
    """The same of a manifest that was there: images of it may have ended."""
    slices = _slices(index, again=True)
    if index.lane is Lane.BULK:
        return slices
    return [event for each in slices for event in await announce(each, tools)]


def _slices(index: ManifestIndex, again: bool) -> list[SliceListed]:
    return [SliceListed(job=index.job, lane=index.lane, shard=shard, again=again) for shard in range(index.shards)]


def _is_large(job: Job, tools: Tools) -> bool:
    if job.refused or job.size <= AT_ONCE:
        return False
    try:
        return not is_listed_soon(ranges(tools.store, job.object, job.etag, job.size), job.size, job.name)
    except (Changed, NotFound):
        return False  # to be said in words by whoever lists it


def _job(upload: UploadReceived, tools: Tools) -> Job:
    if upload.job:
        try:
            return ledger.read_job(tools.store, upload.job)
        except ledger.NoSuchJob:
            pass  # a stranger named a job of its own; ours is computed
    try:
        return intake.accept(tools.store, upload, tools.models)
    except intake.Gone:
        raise
    except intake.Refused as why:
        return intake.refuse(tools.store, upload, str(why))


def _entries(job: Job, tools: Tools) -> list[Entry]:
    """As several readings in a row tell: a directory has no checksum, and a bit may flip on the way."""
    known, agreed = None, 0
    while True:
        entries = _reading(job, tools)
        digest = hash(tuple(map(hash, entries)))
        known, agreed = digest, agreed + 1 if digest == known else 1
        if agreed == (READINGS if _may_be_damage(entries) else LISTED_TWICE):
            return entries
        del entries  # never two lists at once: a million images are a gigabyte


def _may_be_damage(entries: list[Entry]) -> bool:
    """Whether the upload is no archive, or can't be listed: a flipped bit may have made that of many images."""
    return len(entries) == 1 and entries[0].source.span is None


def _reading(job: Job, tools: Tools) -> list[Entry]:
    try:
        return list(_listed(job, tools))
    except (Unreadable, Rejected, Changed) as error:
        why = verdict(error, job.name) or Rejected("bad_input", str(error))
        return [whole(job).model_copy(update={"problem": why.message, "reason": why.reason})]


def _listed(job: Job, tools: Tools) -> Iterator[Entry]:
    if job.refused:
        raise Rejected("bad_input", f"{job.name}: {job.refused}")
    try:
        read = ranges(tools.store, job.object, job.etag, job.size)
        if not is_zip(read(0, 4)):
            yield whole(job)
            return
        for number, member in enumerate(list_members(read, job.size, job.name)):
            yield _entry(number, member, job)
    except NotFound:
        raise Rejected("bad_input", f"{job.name}: the uploaded object is gone") from None


def whole(job: Job) -> Entry:
    """The upload itself as the job's only image."""
    return Entry(image=0, name=job.name, source=Source(key=job.object, etag=job.etag, size=job.size))


def _entry(number: int, member: Member, job: Job) -> Entry:
    source = Source(
        key=job.object,
        etag=job.etag,
        offset=member.offset,
        span=member.span,
        packed=member.packed,
        size=member.size,
        method=member.method,
        crc=member.crc,
    )
    return Entry(image=number, name=member.name, source=source, problem=member.problem, reason=member.reason)
