"""`predict`: a tile's pixels become the model's maps."""

from inference import tiling
from storage import keys
from streams.events import ImageFound, TilePlanned, TilePredicted
from streams.tools import Tools


async def predict(planned: TilePlanned, tools: Tools) -> list[TilePredicted | ImageFound]:
    """Ask Triton for the tile's maps and keep the part without halo.

    A plan that this program would not make (a rolling deploy) is no plan: the image is announced to be planned anew.
    """
    model = tools.model(planned.found)
    plan = tiling.plan(planned.scaled, model)
    if plan.digest != planned.plan:
        return [planned.found]
    with tools.timed("wait"):
        await tools.share.grow(planned.pixels_shape[0] * planned.pixels_shape[1] / 1e6)
    with tools.timed("take"):
        pixels = await tools.fetch(tools.claims.take, planned.pixels, planned.pixels_shape, planned.dtype)
    tile = plan.tiles[planned.tile % len(plan.tiles)]
    key = keys.tile_maps(planned.job, planned.image, planned.plan, planned.tile)
    with tools.timed("model"):
        maps = await tools.gate.infer(model, pixels, planned.low, planned.high, tools.lane, tools.patience, tools.spent)
        tools.claims.drop(planned.pixels)
        core = tiling.core_of(maps, tile).copy()  # a view would keep the halo, and the whole answer
        tools.claims.hold(key, core)
    return [
        TilePredicted(
            job=planned.job,
            lane=planned.lane,
            image=planned.image,
            round=planned.round,
            planned=planned,
            maps=key,
        )
    ]
