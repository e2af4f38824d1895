"""`announce`: a slice of a job's manifest becomes images that wait to be worked on."""

from streams.events import Event, ImageEnded, ImageFound, Outcome, SliceListed
from streams.failure import Rejected
from streams.jobs import ledger
from streams.jobs.records import Entry, Job
from streams.rejection import reject
from streams.tools import Tools


async def announce(listed: SliceListed, tools: Tools) -> list[Event]:
    """Every image of a slice that has no outcome in its round yet; what the directory condemns is rejected here.

    An outcome that is there already is announced again: whoever stored it may have died before telling anyone.
    """
    job, entries, ended = await tools.fetch(_slice, listed, tools)
    return [begun(listed, entry, job, tools, ended.get(entry.image)) for entry in entries]


def found(listed: SliceListed, entry: Entry, job: Job) -> ImageFound:
    """The event that has an image of the manifest worked on, from its beginning."""
    return ImageFound(
        job=listed.job,
        lane=listed.lane,
        image=entry.image,
        round=listed.round,
        name=entry.name,
        source=entry.source,
        model=job.model,
        model_digest=job.model_digest,
        options=job.options,
        again=listed.again,
    )


def begun(listed: SliceListed, entry: Entry, job: Job, tools: Tools, outcome: Outcome | None = None) -> Event:
    """What is announced of one image of a slice."""
    image = found(listed, entry, job)
    if outcome:
        return ImageEnded(job=image.job, lane=image.lane, image=image.image, round=image.round, outcome=outcome)
    return _condemned(image, entry, tools) if entry.problem else image


def _slice(listed: SliceListed, tools: Tools) -> tuple[Job, list[Entry], dict[int, Outcome]]:
    """The job; its images in this slice that belong to the slice's round; those that have ended in it."""
    job = ledger.read_job(tools.store, listed.job)
    entries = ledger.read_shard(tools.store, listed.job, listed.shard).images
    if listed.round:
        chosen = set(ledger.read_round(tools.store, listed.job, listed.round).images)
        entries = [entry for entry in entries if entry.image in chosen]
    return job, entries, ledger.ended_in(tools.store, listed.job, listed.shard, listed.round)


def _condemned(image: ImageFound, entry: Entry, tools: Tools) -> Event:
    return reject(image, Rejected(entry.reason, entry.problem), tools.claims)
