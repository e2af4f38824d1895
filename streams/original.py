"""An image's own pixels, as its source holds them: read for planning, and once more for measuring after a fan-out."""

import asyncio

from observability import metrics
from observability.logs import log
from storage import keys
from storage.images import Image
from storage.objects import NotFound
from storage.unreadable import Unreadable
from streams.containment import DEATHS
from streams.decoders.forkserver import Died
from streams.decoders.wire import Wanted
from streams.events import ImageFound
from streams.failure import Rejected
from streams.tools import Tools

READINGS = 6
"""Of a file that seems damaged; what flips bits on the way often does so several times in a row."""
REST_SECONDS = 0.02
"""Before the third reading; before each later one twice as long, half a second in all."""
DEATH_SECONDS = 0.3
"""Times the deaths so far, before the next reading: what killed may have been a machine short of memory."""
PLAUSIBLE_PIXEL_UM = (0.01, 10.0)
"""A pixel size in a file outside this range was written by a program that meant a printer."""


async def read(found: ImageFound, tools: Tools) -> Image:
    """Fetch and decode the image, within the run's share of the room.

    What seems damaged, by its checksum or for want of one, is read again before it is judged: a bit may have flipped on
    the way, and a healthy image that is rejected is a lost one. What kills its reader is read again as well, and it
    reads nothing else meanwhile: the death is this image's, or chance.
    """
    with tools.timed("wait"):
        await tools.share.grow(found.source.size / 1e6)
    for reading in range(READINGS - 1):
        try:
            return await _alive(found, tools)
        except Unreadable as why:
            if why.reason != "bad_input" or why.arrived:
                raise
        with tools.timed("pause"):
            await asyncio.sleep(REST_SECONDS * (2**reading - 1))
    return await _alive(found, tools)


async def _alive(found: ImageFound, tools: Tools) -> Image:
    for deaths in range(1, DEATHS + 1):
        try:
            return await _decoded(found, tools)
        except Died:
            metrics.DECODER_DEATHS.labels(tools.lane).inc()
            log().warning("decoder_died", deaths=deaths)
            with tools.timed("pause"):
                await asyncio.sleep(DEATH_SECONDS * deaths * (deaths < DEATHS))
    raise Rejected("killed", f"{found.name}: the process that read it died {DEATHS} times", DEATHS)


async def _decoded(found: ImageFound, tools: Tools) -> Image:
    try:
        return await tools.decoder.read(_wanted(found), tools.lane, tools.spent, tools.patience)
    except NotFound:
        raise Rejected("bad_input", f"{found.name}: the uploaded object is gone") from None


def _wanted(found: ImageFound) -> Wanted:
    place = found.source.model_dump(include=set(Wanted._fields))
    return Wanted(**place, name=found.name, channel=found.options.channel)


def pixel_size(found: ImageFound, image: Image) -> float | None:
    """The pixel size in µm: as submitted, else as the file says where that can be true."""
    if found.options.pixel_size:
        return found.options.pixel_size
    low, high = PLAUSIBLE_PIXEL_UM
    return image.pixel_size if image.pixel_size and low <= image.pixel_size <= high else None


def plane_key(found: ImageFound, plane: int) -> str:
    """What a decoded plane is claimed under within one process; it is never stored, the source is."""
    return f"{keys.scratch(found.job, found.image)}plane/{plane}"
