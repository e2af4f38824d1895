"""An image's own pixels, as its source holds them: read for planning, and once more for measuring after a fan-out."""

from storage import keys
from storage.images import Image, read_image
from storage.objects import NotFound
from storage.sources import read_source
from storage.unreadable import Unreadable
from streams.events import ImageFound
from streams.failure import Rejected
from streams.tools import Tools

READINGS = 4
"""Of a file that seems damaged; what flips bits on the way often does so more than once."""
PLAUSIBLE_PIXEL_UM = (0.01, 10.0)
"""A pixel size in a file outside this range was written by a program that meant a printer."""


async def read(found: ImageFound, tools: Tools) -> Image:
    """Fetch and decode the image, within the run's share of the budget.

    What seems damaged is read again before it is judged: a bit may have flipped on the way, and a healthy image that is
    rejected is a lost one.
    """
    with tools.timed("wait"):
        await tools.share.grow(found.source.size / 1e6)
    for _ in range(READINGS - 1):
        try:
            return await _decoded(found, tools)
        except Unreadable as why:
            if why.reason != "bad_input":
                raise
    return await _decoded(found, tools)


async def _decoded(found: ImageFound, tools: Tools) -> Image:
    try:
        with tools.timed("fetch"):
            data = await tools.fetch(read_source, tools.store, found.source, found.name)
    except NotFound:
        raise Rejected("bad_input", f"{found.name}: the uploaded object is gone") from None
    with tools.timed("decode"):
        return await tools.compute(read_image, data, found.name, found.options.channel)


def pixel_size(found: ImageFound, image: Image) -> float | None:
    """The pixel size in µm: as submitted, else as the file says where that can be true."""
    if found.options.pixel_size:
        return found.options.pixel_size
    low, high = PLAUSIBLE_PIXEL_UM
    return image.pixel_size if image.pixel_size and low <= image.pixel_size <= high else None


def plane_key(found: ImageFound, plane: int) -> str:
    """What a decoded plane is claimed under within one process; it is never stored, the source is."""
    return f"{keys.scratch(found.job, found.image)}plane/{plane}"
