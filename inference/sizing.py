"""How large an image's objects are, where nobody said: the model looks at it from far away, then nearer.

Of objects that are too small for it a model finds little, or blobs as small as it can see; of those that are too large
it finds pieces of any size. So the search begins far away and ends at the first scale at which what it finds is both
clear and large enough to be told in size. A last look at the scale this calls for makes the figure exact.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.models import Model
from inference.normalize import statistics
from inference.scaling import LIMITS, rescale
from inference.segmentation import segment
from inference.thresholds import FOREGROUND
from inference.tiling import Box, Tile, core_of, cut

Asked = tuple[NDArray[Any], float, float]
"""A tile, and the intensities that the model is to see as 0 and 1."""
Maps = NDArray[np.uint8]

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
WINDOW = 256  # px at the model's scale: what is looked at, at most, at one factor
TOLD = 0.55  # of the model's diameter: objects that seem smaller may be far smaller
CLEAR = 160  # of 255: what the distance map reaches inside an object, on average, where objects are seen as such
FEWEST = 3  # objects that tell a size
NEAR = 1.18  # times the model's diameter, or its inverse: so near, an image is best left as it is


class Search:
    """The search for one plane's object size: whoever has a model answers until nothing is asked any more.

    The same plane and answers give the same figure. A search costs the model a fifth of a megapixel or so.

    Attributes
    ----------
    asked
        What the model is to compute next; None at the end.
    diameter
        At the end: of a typical object of the plane in px, to two digits; the model's own where that is near. None
        where no size can be told.
    """

    def __init__(self, plane: NDArray[Any], model: Model) -> None:
        self.diameter: float | None = None
        self._usual = model.diameter
        self._steps = _search(plane, model, statistics(plane, model))
        self.asked: Asked | None = next(self._steps)

    def answer(self, maps: Maps) -> None:
        """Go on with the maps (2, h, w) of the tile that was asked for."""
        try:
            self.asked = self._steps.send(maps)
        except StopIteration as end:
            self.asked = None
            self.diameter = end.value and self._settled(end.value)

    def _settled(self, diameter: float) -> float:
        near = 1 / NEAR <= diameter / self._usual <= NEAR
        return self._usual if near else float(f"{diameter:.2g}")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found: diameter in px at the model's scale (0: too few objects), clearness, and where most is."""

    diameter: float
    clear: bool
    densest: tuple[float, float]


def _search(plane: NDArray[Any], model: Model, bounds: tuple[float, float]) -> Generator[Asked, Maps, float | None]:
    centre = _brightest(plane, bounds)
    for factor in FACTORS:
        seen = yield from _look(plane, factor, centre, model, bounds)
        centre = seen.densest
        if seen.clear and seen.diameter >= TOLD * model.diameter:
            diameter = seen.diameter / factor
            factor = min(max(model.diameter / diameter, LIMITS[0]), LIMITS[1])
            seen = yield from _look(plane, factor, centre, model, bounds)
            return seen.diameter / factor if seen.diameter else diameter
    return None


def _look(
    plane: NDArray[Any], factor: float, centre: tuple[float, float], model: Model, bounds: tuple[float, float]
) -> Generator[Asked, Maps, _Seen]:
    side = max(1, int(WINDOW / factor))
    top, left = (int(min(max(at - side / 2, 0), max(n - side, 0))) for at, n in zip(centre, plane.shape, strict=True))
    part = rescale(plane[top : top + side, left : left + side], factor)
    box = Box(0, 0, part.shape[0], part.shape[1])
    tile = Tile(0, box, box)
    maps = yield (cut(part, tile, model.stride), *bounds)
    core = np.ascontiguousarray(core_of(maps, tile))
    row, column = _densest(core[1])
    return _Seen(*_sizes(core), (top + row / factor, left + column / factor))


def _sizes(maps: Maps) -> tuple[float, bool]:
    labels = segment(maps, (maps.shape[1], maps.shape[2]), summit=0)  # what is seen badly tells that it is too small
    areas = np.bincount(labels.ravel())[1:]
    if len(areas) < FEWEST:
        return 0.0, False
    summits = np.zeros(len(areas) + 1, np.uint8)
    np.maximum.at(summits, labels.ravel(), maps[0].ravel())
    return 2 * float(np.sqrt(np.median(areas) / np.pi)), bool(summits[1:].mean() >= CLEAR)


def _brightest(plane: NDArray[Any], bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the middle of the plane's brightest part, as wide as the first look."""
    factor = min(1.0, WINDOW / max(plane.shape))
    low, high = bounds
    light = np.clip((rescale(plane, factor).astype(np.float32) - low) / (high - low), 0, 1)
    row, column = _fullest(light, int(WINDOW / FACTORS[0] * factor))
    return row / factor, column / factor


def _densest(foreground: Maps) -> tuple[int, int]:
    return _fullest((foreground >= FOREGROUND).astype(np.float32), WINDOW // 2)


def _fullest(held: NDArray[np.float32], side: int) -> tuple[int, int]:
    """Return the middle of the window of `side` px that holds most."""
    sums = cv2.boxFilter(held, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(row), int(column)
