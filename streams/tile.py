"""`tile`: an image's file becomes planes, and planes become tiles with their halo."""

from collections.abc import Iterator

import numpy as np

from inference import normalize, scaling, tiling
from inference.models import Model
from storage import keys
from storage.images import Image, read_image
from storage.objects import NotFound
from storage.sources import read_source
from streams.events import ImageFound, TilePlanned
from streams.failure import Rejected
from streams.tools import Tools

MAX_MEGAPIXELS = 64
PLAUSIBLE_PIXEL_UM = (0.01, 10.0)
"""A pixel size in a file outside this range was written by a program that meant a printer."""


async def tile(found: ImageFound, tools: Tools) -> list[TilePlanned]:
    """Plan an image's tiles; their pixels are claimed, and cut when somebody takes them."""
    model = job_model(found, tools)
    image = await read(found, tools)
    factor = scaling.scale_for(model, pixel_size(found, image), found.options.diameter)
    megapixels = image.planes.size * max(1.0, factor**2) / 1e6
    if megapixels > MAX_MEGAPIXELS:
        raise Rejected(
            "too_large",
            f"{found.name} has {megapixels:.0f} megapixels at the model's scale; the limit is {MAX_MEGAPIXELS}",
        )
    with tools.timed("wait"):
        await tools.share.grow(megapixels)
    with tools.timed("plan"):
        planned = await tools.compute(lambda: list(_plan(found, image, model, factor, tools)))
    return [event.model_copy(update={"tiles": len(planned)}) for event in planned]


async def read(found: ImageFound, tools: Tools) -> Image:
    """The decoded image: read once in a process, then taken from the run's claims."""
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


def job_model(found: ImageFound, tools: Tools) -> Model:
    """The model the job was accepted with."""
    try:
        return tools.model(found.model, found.model_digest)
    except KeyError as missing:
        raise Rejected("model_error", f"{found.name}: the model {missing.args[0]} is not known here any more") from None


def plane_key(found: ImageFound, plane: int) -> str:
    """What a decoded plane is claimed under within one process; it is never stored, the source is."""
    return f"{keys.scratch(found.job, found.image)}plane/{plane}"


def _plan(found: ImageFound, image: Image, model: Model, factor: float, tools: Tools) -> Iterator[TilePlanned]:
    number = 0
    for index, plane in enumerate(image.planes):
        tools.claims.hold(plane_key(found, index), plane)
        low, high = normalize.statistics(plane, model)
        scaled = scaling.rescale(plane, factor)
        plan = tiling.plan((scaled.shape[0], scaled.shape[1]), model)
        digest = plan.digest
        for each in plan.tiles:
            key = keys.tile_pixels(found.job, found.image, digest, number)
            tools.claims.hold(key, lambda scaled=scaled, each=each: tiling.cut(scaled, each, model.stride))  # type: ignore[misc]
            yield TilePlanned(
                job=found.job,
                lane=found.lane,
                image=found.image,
                round=found.round,
                found=found,
                plane=index,
                planes=len(image.planes),
                shape=(plane.shape[0], plane.shape[1]),
                scaled=(scaled.shape[0], scaled.shape[1]),
                plan=digest,
                tile=number,
                tiles=0,
                low=low,
                high=high,
                pixels=key,
                pixels_shape=_padded(each, model),
                dtype="uint8" if plane.dtype == np.uint8 else "uint16",
                pixel_size=pixel_size(found, image),
            )
            number += 1


def _padded(each: tiling.Tile, model: Model) -> tuple[int, int]:
    top, left, bottom, right = each.read
    up = model.stride
    return -(-(bottom - top) // up) * up, -(-(right - left) // up) * up
