"""`tile`: an image's file becomes planes, and planes become tiles with their halo."""

from collections.abc import Iterator

import numpy as np

from inference import normalize, scaling, tiling
from inference.models import Model
from storage import keys
from storage.images import Image
from storage.limits import MAX_PAGES, MAX_PIXELS
from streams.events import MAX_SIDE, ImageFound, TilePlanned
from streams.failure import Rejected
from streams.original import pixel_size, plane_key, read
from streams.sizing import estimated_diameter
from streams.tools import Tools


async def tile(found: ImageFound, tools: Tools) -> list[TilePlanned]:
    """Plan an image's tiles; their pixels are claimed, and cut when somebody takes them."""
    model = tools.model(found)
    image = await read(found, tools)
    estimated = await estimated_diameter(found, image, model, tools)
    factor = scaling.scale_for(model, pixel_size(found, image), found.options.diameter or estimated)
    megapixels = image.planes.size * max(1.0, factor**2) / 1e6
    if excess := _excess(image, megapixels, factor):
        raise Rejected("too_large", f"{found.name} has {excess}")
    with tools.timed("wait"):
        await tools.share.grow(megapixels)
    with tools.timed("plan"):
        planned = await tools.compute(lambda: list(_plan(found, image, model, factor, estimated, tools)))
    return [event.model_copy(update={"tiles": len(planned)}) for event in planned]


def _excess(image: Image, megapixels: float, factor: float) -> str:
    """What an image has too much of, beside the limit; empty where nothing is too much."""
    planes, height, width = image.planes.shape
    if megapixels * 1e6 > MAX_PIXELS:
        return f"{megapixels:.0f} megapixels at the model's scale; the limit is {MAX_PIXELS / 1e6:.0f}"
    if (side := max(height, width) * max(1.0, factor)) > MAX_SIDE:
        return f"a side of {side:.0f} pixels at the model's scale; the limit is {MAX_SIDE}"
    return f"{planes} planes; the limit is {MAX_PAGES}" if planes > MAX_PAGES else ""


def _plan(
    found: ImageFound, image: Image, model: Model, factor: float, estimated: float | None, tools: Tools
) -> Iterator[TilePlanned]:
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
                estimated_diameter=estimated,
            )
            number += 1


def _padded(each: tiling.Tile, model: Model) -> tuple[int, int]:
    top, left, bottom, right = each.read
    up = model.stride
    return -(-(bottom - top) // up) * up, -(-(right - left) // up) * up
