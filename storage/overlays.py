"""A picture of what was found: the image in grey, and every cell's outline in a colour its neighbours don't have."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LONGEST = 2048
"""Pixels along the longer side, at most."""
REACH = 7
"""Cells closer than this get different colours (pixels of the picture)."""
DARKEST, BRIGHTEST = 0.2, 99.8
"""Percentiles that become black and white."""
_PACKING = [cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
_COLOURS = np.array(  # blue, green, red
    [(80, 220, 255), (255, 180, 60), (120, 255, 120), (200, 120, 255), (255, 255, 90), (90, 140, 255), (255, 110, 180),
     (150, 255, 220)],
    np.uint8,
)  # fmt: skip


def overlay_png(
    plane: NDArray[np.uint8] | NDArray[np.uint16], labels: NDArray[np.integer], longest: int = LONGEST
) -> bytes:
    """Draw the outlines of labelled cells over their image.

    Parameters
    ----------
    plane
        (H, W) uint8 or uint16; its contrast is stretched.
    labels
        (H, W); 0 is background.
    longest
        Pixels along the picture's longer side, at most.

    Returns
    -------
    bytes
        A PNG image in colour.
    """
    size = _size(plane, longest)
    small: NDArray[Any] = cv2.resize(_numbered(labels), size, interpolation=cv2.INTER_NEAREST)
    picture = cv2.cvtColor(_stretched(fitting(plane, longest)), cv2.COLOR_GRAY2BGR)
    edge = _outlines(small)
    picture[edge] = _COLOURS[_different(small)[small[edge].astype(np.intp)]]
    done, png = cv2.imencode(".png", picture, _PACKING)
    if not done:
        raise ValueError("the picture could not be packed")
    return png.tobytes()


def fitting(plane: NDArray[Any], longest: int) -> NDArray[Any]:
    """The plane, averaged where a side is longer than `longest` pixels."""
    fitted: NDArray[Any] = cv2.resize(plane, _size(plane, longest), interpolation=cv2.INTER_AREA)
    return fitted


def thinned(labels: NDArray[Any], longest: int) -> NDArray[Any]:
    """Labels (H, W) of the same size as the plane that `fitting` returns: those at the middle of each pixel."""
    height, width = labels.shape
    columns, rows = _size(labels, longest)
    chosen: NDArray[Any] = labels[np.ix_(_middles(height, rows), _middles(width, columns))]
    return chosen


def _size(plane: NDArray[Any], longest: int) -> tuple[int, int]:
    """Width and height of the picture."""
    height, width = plane.shape
    factor = min(1.0, longest / max(height, width))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _middles(length: int, count: int) -> NDArray[np.intp]:
    return (np.arange(count) * 2 + 1) * length // (2 * count)


def _numbered(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Labels without gaps, as OpenCV takes them (exact up to 16 million)."""
    whole = labels.astype(np.intp)
    numbers = np.zeros(int(whole.max(initial=0)) + 1, np.float32)
    numbers[whole] = 1
    numbers[0] = 0
    numbered: NDArray[np.float32] = (np.cumsum(numbers, dtype=np.float64) * numbers).astype(np.float32)[whole]
    return numbered


def _stretched(plane: NDArray[Any]) -> NDArray[Any]:
    step = max(1, max(plane.shape) // 512)
    low, high = (int(value) for value in np.percentile(plane[::step, ::step], (DARKEST, BRIGHTEST)))
    scale = 255 / max(high - low, 1)
    stretched: NDArray[Any] = cv2.convertScaleAbs(np.maximum(plane, low), alpha=scale, beta=-low * scale)
    return stretched


def _outlines(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels of a cell that touch something else."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    other: NDArray[np.bool_] = (cv2.erode(labels, cross) != labels) | (cv2.dilate(labels, cross) != labels)
    other &= labels > 0
    return other


def _different(labels: NDArray[Any]) -> NDArray[np.intp]:
    """For each label an index into the colours that no near label has, where there are enough."""
    grown = cv2.dilate(labels, np.ones((REACH, REACH), np.uint8)).astype(np.int32)
    colours = np.zeros(int(labels.max(initial=0)) + 1, np.intp)
    near: dict[int, set[int]] = {}
    for one, other in _touching(grown):
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    for label in range(1, len(colours)):
        taken = {int(colours[other]) for other in near.get(label, ()) if other < label}
        free = [colour for colour in range(len(_COLOURS)) if colour not in taken]
        colours[label] = free[label % len(free)] if free else label % len(_COLOURS)
    return colours


def _touching(labels: NDArray[np.int32]) -> list[list[int]]:
    """Pairs of labels that lie side by side or one above the other."""
    pairs = []
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        meet = (one != other) & (one > 0) & (other > 0)
        pairs.append(np.stack([one[meet], other[meet]], -1))
    found: list[list[int]] = np.unique(np.concatenate(pairs), axis=0).tolist()
    return found
