"""`postprocess`: all maps of an image become its labels and its table of cells, one object."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference import tiling
from inference.measure import measure
from inference.models import Model
from inference.quality import Quality, quality
from inference.segmentation import objects, relief
from storage import keys
from storage.labels import write_labels
from streams.events import ImageEnded, TilePlanned, TilePredicted
from streams.fanin import map_key
from streams.jobs import ledger
from streams.original import plane_key, read
from streams.tools import Tools

Columns = Mapping[str, NDArray[Any]]


class Segmented(NamedTuple):
    """What came of one plane."""

    labels: NDArray[np.int32]
    columns: Columns
    quality: Quality


async def postprocess(predicted: TilePredicted, tools: Tools) -> list[ImageEnded]:
    """Nothing until every tile's maps are there, then the image's labels; nothing again once those exist."""
    planned = predicted.planned
    fanned_out = not tools.claims.holds(predicted.maps)
    with tools.timed("look"):
        if fanned_out and (known := await tools.fetch(ledger.ended, tools.store, planned)):
            return [known]  # first of all: this tile's maps came too late to be removed with the others
        if not await tools.fetch(tools.fanin.complete, predicted, tools.claims):
            return []
    model = tools.model(planned.found)
    planes = await _planes(planned, tools)
    with tools.timed("post"):
        segmented = []
        for index in range(len(planes)):
            segmented.append(await _segment(predicted, index, planes.pop(0), model, tools))
        data = await tools.compute(_pack, planned, segmented, model)
    tools.claims.hold(keys.labels(planned.job, planned.image), data)
    return [
        ImageEnded(
            job=planned.job,
            lane=planned.lane,
            image=planned.image,
            round=planned.round,
            outcome="labelled",
            fanned_out=fanned_out,
        )
    ]


async def _planes(planned: TilePlanned, tools: Tools) -> list[NDArray[Any]]:
    """The image's own pixels, for measuring: from this run's memory, else read again."""
    with tools.timed("wait"):
        await tools.share.grow(planned.planes * planned.shape[0] * planned.shape[1] / 1e6)
    wanted = [plane_key(planned.found, plane) for plane in range(planned.planes)]
    if not all(map(tools.claims.holds, wanted)):
        return list((await read(planned.found, tools)).planes)
    planes = [tools.claims.take(key, planned.shape, planned.dtype) for key in wanted]
    for key in wanted:
        tools.claims.drop(key)  # whoever measures is the last to ask, and packing needs the room
    return planes


async def _segment(predicted: TilePredicted, index: int, plane: NDArray[Any], model: Model, tools: Tools) -> Segmented:
    planned = predicted.planned
    plan = tiling.plan(planned.scaled, model)
    first = index * len(plan.tiles)
    wanted = [map_key(predicted, first + each.index) for each in plan.tiles]
    cores = [
        await tools.fetch(tools.claims.take, key, (2, *each.core.shape), "uint8")
        for key, each in zip(wanted, plan.tiles, strict=True)
    ]
    for key in wanted:
        tools.claims.drop(key)
    return await tools.compute(_label, plan, cores, plane, planned.pixel_size)


def _label(plan: tiling.Plan, cores: list[Any], plane: NDArray[Any], pixel_size: float | None) -> Segmented:
    shape = (plane.shape[0], plane.shape[1])
    maps = tiling.stitch(plan, cores)
    cores.clear()  # the whole map is as large as they are together
    ground = relief(maps, shape)
    del maps  # as large again as what the watershed needs
    labels = objects(ground, shape)
    columns = measure(labels, plane, pixel_size).columns
    return Segmented(labels, columns, quality(plane, labels, columns["diameter_px"]))


def _pack(planned: TilePlanned, segmented: list[Segmented], model: Model) -> bytes:
    planes = [each.labels for each in segmented]
    labels = planes[0][None] if len(planes) == 1 else np.stack(planes)
    columns = {name: np.concatenate([each.columns[name] for each in segmented]) for name in segmented[0].columns}
    if planned.planes > 1:
        counts = [len(each.columns["label"]) for each in segmented]
        columns = {"plane": np.repeat(np.arange(planned.planes), counts), **columns}
    source = planned.found.source
    facts = {
        "image": planned.found.name,
        "model": model.name,
        "model_version": model.version,
        "model_digest": model.digest,
        "source_crc": "" if source.crc is None else f"{source.crc:08x}",
        **_figures([each.quality for each in segmented]),
    }
    if planned.estimated_diameter:
        facts["estimated_diameter_px"] = f"{planned.estimated_diameter:g}"
    return write_labels(labels, columns, planned.pixel_size, facts)


def _figures(planes: list[Quality]) -> dict[str, str]:
    """Of the image: its sharpest plane's focus, as most planes of a stack are meant to be beside it."""
    focus = max((plane.focus for plane in planes if plane.focus is not None), default=None)
    saturated = sum(plane.saturated for plane in planes) / len(planes)
    return {"saturated": f"{saturated:.4g}"} | ({} if focus is None else {"focus": f"{focus:.4g}"})
