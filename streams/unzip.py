"""`unzip`: an upload becomes a job with a manifest, written before anyone is told of an image."""

from collections.abc import Iterator

from storage import keys
from storage.archives import Member, is_zip, list_members
from storage.objects import Changed, NotFound
from storage.unreadable import Unreadable
from streams import intake, ledger
from streams.events import Event, Lane, SliceListed, Source, UploadReceived
from streams.failure import Rejected, verdict
from streams.ledger import Entry, Job, ManifestIndex, ManifestShard
from streams.rejection import reject
from streams.tools import Tools


async def unzip(upload: UploadReceived, tools: Tools) -> list[Event]:
    """Write the job's manifest from its archive's directory, then announce it slice by slice."""
    job = await tools.fetch(_job, upload, tools)
    if await tools.fetch(ledger.read_done, tools.store, job.job):
        return []
    try:
        entries = await tools.fetch(_entries, job, tools)
    except (Unreadable, Rejected, Changed) as error:
        await tools.fetch(_write_manifest, job, [_whole(job)], tools)
        why = verdict(error, job.name) or Rejected("bad_input", str(error))
        return [reject(upload.model_copy(update={"job": job.job, "name": job.name}), why, tools.claims)]
    index = await tools.fetch(_write_manifest, job, entries, tools)
    return [SliceListed(job=job.job, lane=index.lane, shard=shard) for shard in range(index.shards)]


def _job(upload: UploadReceived, tools: Tools) -> Job:
    if upload.job:
        try:
            return ledger.read_job(tools.store, upload.job)
        except ledger.NoSuchJob:
            pass  # a stranger named a job of its own; ours is computed
    try:
        return intake.accept(tools.store, upload, tools.models)
    except intake.Refused as why:
        return intake.refuse(tools.store, upload, str(why))


def _entries(job: Job, tools: Tools) -> list[Entry]:
    if job.refused:
        raise Rejected("bad_input", f"{job.name}: {job.refused}")
    try:
        head = tools.store.get(job.object, 0, 4, job.etag)
        if not is_zip(head):
            return [_whole(job)]
        members = list_members(tools.store, job.object, job.etag, job.size)
        return [_entry(number, member, job) for number, member in enumerate(members)]
    except NotFound:
        raise Rejected("bad_input", f"{job.name}: the uploaded object is gone") from None


def _whole(job: Job) -> Entry:
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


def _write_manifest(job: Job, entries: list[Entry], tools: Tools) -> ManifestIndex:
    known = ledger.read_index(tools.store, job.job)
    if known is not None:
        return known
    shards = list(_shards(job, entries))
    for shard in shards:
        ledger.write(tools.store, keys.manifest_shard(job.job, shard.shard), shard)
    lane = Lane.INTERACTIVE if len(entries) <= tools.limits.interactive_images else Lane.BULK
    index = ManifestIndex(job=job.job, images=len(entries), shards=len(shards), lane=lane)
    ledger.write(tools.store, keys.manifest_index(job.job), index)
    return index


def _shards(job: Job, entries: list[Entry]) -> Iterator[ManifestShard]:
    for first in range(0, len(entries), keys.SHARD):
        yield ManifestShard(job=job.job, shard=first // keys.SHARD, images=entries[first : first + keys.SHARD])
