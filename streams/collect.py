"""`collect`: every end of an image is ticked off in its job's tally; the last one ends the job."""

from streams.events import Event, ImageEnded
from streams.jobs import ledger
from streams.tools import Tools


async def collect(ended: ImageEnded, tools: Tools) -> list[Event]:
    """Tick the image off, and remove what stood between its stages: its outcome is durable."""
    if ended.fanned_out:
        await tools.fetch(ledger.remove_scratch, tools.store, ended.job, ended.image)
    await _trace(ended, tools)
    await tools.tallies.tick(ended.job, ended.image, ended.outcome == "labelled", ended.round, ended.asked)
    return []


async def _trace(ended: ImageEnded, tools: Tools) -> None:
    """Before it is ticked off: who dies in between comes here again. An image that was ticked off has its trace."""
    labelled = ended.outcome == "labelled"
    if tools.traces and tools.spent.taken and await tools.tallies.awaits(ended.job, ended.image, labelled, ended.round):
        await tools.traces.tell_image(ended, tools.spent)
