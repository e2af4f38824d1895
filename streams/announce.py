"""`announce`: a slice of a job's manifest becomes images that wait to be worked on."""

from streams import ledger
from streams.events import Event, ImageEnded, ImageFound, Outcome, SliceListed
from streams.failure import Rejected
from streams.ledger import Entry, Job, ManifestShard
from streams.rejection import reject
from streams.tools import Tools


async def announce(listed: SliceListed, tools: Tools) -> list[Event]:
    """Every image of a slice that has no outcome yet; what the directory alone condemns is rejected here.

    An outcome that is there already is announced again: whoever stored it may have died before telling anyone.
    """
    job, shard, ended = await tools.fetch(_slice, listed, tools)
    return [_event(_found(listed, entry, job), entry, ended.get(entry.image), tools) for entry in shard.images]


def _event(found: ImageFound, entry: Entry, outcome: Outcome | None, tools: Tools) -> Event:
    if outcome:
        return ImageEnded(job=found.job, lane=found.lane, image=found.image, outcome=outcome)
    return _condemned(found, entry, tools) if entry.problem else found


def _slice(listed: SliceListed, tools: Tools) -> tuple[Job, ManifestShard, dict[int, Outcome]]:
    shard = ledger.read_shard(tools.store, listed.job, listed.shard)
    return ledger.read_job(tools.store, listed.job), shard, ledger.ended_in(tools.store, listed.job, listed.shard)


def _found(listed: SliceListed, entry: Entry, job: Job) -> ImageFound:
    return ImageFound(
        job=listed.job,
        lane=listed.lane,
        image=entry.image,
        name=entry.name,
        source=entry.source,
        model=job.model,
        model_digest=job.model_digest,
        options=job.options,
    )


def _condemned(found: ImageFound, entry: Entry, tools: Tools) -> Event:
    return reject(found, Rejected(entry.reason, entry.problem), tools.claims)
