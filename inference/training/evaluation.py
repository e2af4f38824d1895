"""How well an exported model does on annotated images, through the same steps as in production."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import tifffile
from numpy.typing import NDArray

from inference.models import Model, read_model
from inference.normalize import statistics
from inference.scaling import rescale, scale_for
from inference.scoring import average_precision, f1_at
from inference.segmentation import segment
from inference.sizing import Search
from inference.tiling import core_of, cut, plan, stitch
from inference.training.config import EXCLUDED
from inference.training.dataset import typical_diameter
from inference.training.overlays import draw_worst
from inference.wire import MAPS, tensors

log = logging.getLogger(__name__)

IOUS = tuple(0.5 + step / 20 for step in range(10))
Infer = Callable[[NDArray[Any], float, float], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Scored:
    """One image: F1 at each of `IOUS` with its diameter given and with nothing given, and both diameters in px."""

    set: str
    image: Path
    shape: tuple[int, int]
    given: tuple[float, ...]
    alone: tuple[float, ...]
    diameter: float
    estimated: float


def evaluate(data: Path, folder: Path, out: Path) -> list[Scored]:
    """Score the model in `folder` on the images under `data`; print a table, draw the worst into `out`.

    `data` is a set (a folder with `images/` and `labels/`) or holds some. "Diameter given" scales each image by its own
    typical nucleus, as a user does who says how large the objects are.
    """
    model = read_model(folder)
    infer = _runtime(folder)
    scored = [score(model, infer, image) for image in annotated(data)]
    if not scored:
        raise ValueError(f"{data} holds no set: expected images/*.tif with labels/*.tif of the same names")
    print("\n".join(table(scored)))
    worst = sorted(scored, key=lambda each: each.given[0])[:12]
    draw_worst([(each.image, labels_of(model, infer, each)) for each in worst], out / "worst.png")
    return scored


def annotated(data: Path) -> list[Path]:
    """Return the images of the sets in `data` that have labels, without the excluded ones."""
    images = sorted(data.glob("images/*.tif")) or sorted(data.glob("*/images/*.tif"))
    return [each for each in images if each.stem not in EXCLUDED and labels_beside(each).exists()]


def labels_beside(image: Path) -> Path:
    """Return where the truth of an image lies."""
    return image.parent.parent / "labels" / image.name


def table(scored: list[Scored]) -> Iterator[str]:
    """Yield the lines of a table: every set, and in it every source, told by the images' shape."""
    yield f"{'':34}{'':>7}  {'diameter given':^22}  {'nothing given':^22}  {'size':>6}"
    heads = f"{'F1@0.5':>7}{'F1@0.75':>8}{'AP':>7}"
    yield f"{'set':34}{'images':>7}  {heads}  {heads}  {'off by':>6}"
    sets: dict[str, list[Scored]] = defaultdict(list)
    for each in scored:
        sets[each.set].append(each)
    for name, members in sets.items():
        yield _row(name, members)
        sources: dict[str, list[Scored]] = defaultdict(list)
        for each in members:
            sources[f"  {each.shape[0]} x {each.shape[1]}"].append(each)
        yield from (_row(*each) for each in sources.items())


def score(model: Model, infer: Infer, image: Path) -> Scored:
    """Return how well the model does on one image."""
    plane, truth = tifffile.imread(image), tifffile.imread(labels_beside(image))
    shape = (plane.shape[0], plane.shape[1])
    diameter = typical_diameter(truth)
    search = Search(plane, model)
    while search.asked:
        search.answer(infer(*search.asked))
    given, alone = (
        tuple(f1_at(truth, segment(predict(model, infer, plane, scale_for(model, None, each)), shape), IOUS))
        for each in (diameter, search.diameter)
    )
    return Scored(image.parent.parent.name, image, shape, given, alone, diameter, search.diameter or model.diameter)


def labels_of(model: Model, infer: Infer, scored: Scored) -> NDArray[np.int32]:
    """Return the labels found where the diameter was given."""
    plane = tifffile.imread(scored.image)
    return segment(predict(model, infer, plane, scale_for(model, None, scored.diameter)), scored.shape)


def predict(model: Model, infer: Infer, plane: NDArray[Any], factor: float) -> NDArray[np.uint8]:
    """Return the maps (2, h, w) of a whole plane at the model's scale."""
    low, high = statistics(plane, model)
    scaled = rescale(plane, factor)
    tiles = plan((scaled.shape[0], scaled.shape[1]), model)
    return stitch(tiles, [core_of(infer(cut(scaled, tile, model.stride), low, high), tile) for tile in tiles.tiles])


def _runtime(folder: Path) -> Infer:
    session = onnxruntime.InferenceSession(str(folder / "weights.onnx"), providers=["CPUExecutionProvider"])

    def infer(tile: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
        maps: NDArray[np.uint8] = session.run([MAPS], tensors(tile, low, high))[0]
        return maps

    return infer


def _row(name: str, scored: list[Scored]) -> str:
    columns = (_figures([each.given for each in scored]), _figures([each.alone for each in scored]))
    off = np.median([abs(np.log2(each.estimated / each.diameter)) for each in scored])
    return f"{name:34}{len(scored):7}  {columns[0]}  {columns[1]}  {2**off - 1:6.0%}"


def _figures(scores: list[tuple[float, ...]]) -> str:
    half, three_quarters = (np.mean([each[IOUS.index(iou)] for each in scores]) for iou in (0.5, 0.75))
    return f"{half:7.3f}{three_quarters:8.3f}{np.mean([average_precision(each) for each in scores]):7.3f}"
