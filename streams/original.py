"""An image's own pixels, as its source holds them: read for planning, and once more for measuring after a fan-out."""

from storage import keys
from storage.images import Image, read_image
from storage.objects import NotFound
from storage.sources import read_source
from streams.events import ImageFound
from streams.failure import Rejected
from streams.tools import Tools

PLAUSIBLE_PIXEL_UM = (0.01, 10.0)
"""A pixel size in a file outside this range was written by a program that meant a printer."""


async def read(found: ImageFound, tools: Tools) -> Image:
    """Fetch and decode the image, within the run's share of the budget."""
    with tools.timed("wait"):
        await tools.share.grow(found.source.size / 1e6)
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
