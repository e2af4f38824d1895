"""From a model's maps to labelled objects."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.thresholds import FOREGROUND, PROMINENCE, SMOOTHING, SPECK, SUMMIT
from inference.watershed import remove_low, renumber, watershed, without_border


@dataclass(frozen=True, slots=True)
class Relief:
    """What the watershed runs on, so that maps can be let go of before it.

    Attributes
    ----------
    flat
        uint8: the smoothed distance where there is foreground, at least 1 there and 0 elsewhere, with a border of 0.
    grid
        Height and width in px, without the border: the finer of the maps' and the image's.
    least
        Objects with fewer pixels are specks.
    """

    flat: NDArray[np.uint8]
    grid: tuple[int, int]
    least: int


def segment(maps: NDArray[np.uint8], shape: tuple[int, int], summit: int = SUMMIT) -> NDArray[np.int32]:
    """Return the objects in `maps` as labels 1..n in raster order, 0 for background.

    The work is done on the finer of the two grids: maps are enlarged bilinearly when the image is larger, and labels
    are reduced by nearest neighbour when it is smaller. Releases the GIL.

    Parameters
    ----------
    maps
        uint8 (2, h, w) at the model's scale: distance to the object's edge and foreground, 0..255.
    shape
        Height and width in px of the labels, which is the image's own size.
    summit
        Objects whose distance nowhere gets so high are dropped.

    Returns
    -------
    int32 labels of `shape`.

    Raises
    ------
    ValueError
        The maps aren't two, or not uint8.
    """
    return objects(relief(maps, shape), shape, summit)


def relief(maps: NDArray[np.uint8], shape: tuple[int, int]) -> Relief:
    """The first half of `segment`, after which the maps are no longer needed."""
    if maps.ndim != 3 or maps.shape[0] != 2 or maps.dtype != np.uint8:
        raise ValueError(f"expected two uint8 maps (2, h, w), not {maps.dtype} of shape {maps.shape}")
    grid = (max(shape[0], maps.shape[1]), max(shape[1], maps.shape[2]))
    bordered = np.zeros((grid[0] + 2, grid[1] + 2), np.uint8)
    inner = bordered[1:-1, 1:-1]
    np.maximum(_enlarged(cv2.GaussianBlur(maps[0], (0, 0), SMOOTHING), grid), 1, out=inner)
    inner *= _enlarged(maps[1], grid) >= FOREGROUND
    least = max(1, round(SPECK * grid[0] * grid[1] / (maps.shape[1] * maps.shape[2])))
    return Relief(bordered.ravel(), grid, least)


def objects(relief: Relief, shape: tuple[int, int], summit: int = SUMMIT) -> NDArray[np.int32]:
    """The second half of `segment`: the objects on a relief, as labels of `shape`."""
    basins = watershed(relief.flat, relief.grid[1] + 2, PROMINENCE)
    remove_low(basins, relief.flat, summit)
    labels = without_border(basins, *relief.grid)
    renumber(labels, relief.least)
    if relief.grid != shape:
        labels = _nearest(labels, shape)
        renumber(labels, 1)
    return labels


def _enlarged(plane: NDArray[np.uint8], grid: tuple[int, int]) -> NDArray[Any]:
    if plane.shape == grid:
        return plane
    return np.asarray(cv2.resize(plane, grid[::-1], interpolation=cv2.INTER_LINEAR))


def _nearest(labels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(np.intp) for n, m in zip(shape, labels.shape, strict=True))
    return np.ascontiguousarray(labels[rows][:, columns])
