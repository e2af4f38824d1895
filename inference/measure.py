"""One row per labelled object."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

BOX_COLUMNS = ("bbox_top_px", "bbox_left_px", "bbox_bottom_px", "bbox_right_px")


@dataclass(frozen=True, slots=True)
class Cells:
    """The table of one image's objects: columns of equal length, by name, in the order to show them."""

    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.columns["label"])


def measure(labels: NDArray[np.int32], plane: NDArray[Any], pixel_size: float | None) -> Cells:
    """Return area, place, size and intensity of every object, in the order of the labels.

    Parameters
    ----------
    labels
        int32 (h, w), 0 is background.
    plane
        uint8 or uint16 (h, w): where intensities are read.
    pixel_size
        µm per pixel; without it there are no columns in µm.

    Returns
    -------
    Columns `label`, `area_px`, `centroid_y_px`, `centroid_x_px` (pixel centres count from 0), `bbox_*_px` (the end is
    excluded), `diameter_px` (of the circle with that area), `intensity_mean`, `intensity_total` and `at_border` (it may
    go on outside the image); with a pixel size also `area_um2`, `centroid_y_um`, `centroid_x_um` and `diameter_um`.

    Raises
    ------
    ValueError
        Labels and plane differ in shape.
    """
    if labels.shape != plane.shape:
        raise ValueError(f"labels of shape {labels.shape} don't belong to an image of shape {plane.shape}")
    count = int(labels.max(initial=0))
    boxes, sums = _sweep(np.ascontiguousarray(labels), np.ascontiguousarray(plane), count)
    present = np.flatnonzero(sums[:, 0])
    columns = _in_pixels(present, boxes[present], sums[present]) | {
        "at_border": _at_border(boxes[present], plane.shape)
    }
    return Cells(columns | ({} if pixel_size is None else _in_um(columns, pixel_size)))


def _in_pixels(present: NDArray[Any], boxes: NDArray[Any], sums: NDArray[Any]) -> dict[str, NDArray[Any]]:
    area, rows, columns, total = sums.T
    return {
        "label": (present + 1).astype(np.int32),
        "area_px": area,
        "centroid_y_px": rows / area,
        "centroid_x_px": columns / area,
        **dict(zip(BOX_COLUMNS, boxes.T, strict=True)),
        "diameter_px": np.sqrt(4 / np.pi * area),
        "intensity_mean": total / area,
        "intensity_total": total,
    }


def _at_border(boxes: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.asarray((boxes[:, :2] == 0).any(axis=1) | (boxes[:, 2:] == shape).any(axis=1))


def _in_um(columns: dict[str, NDArray[Any]], pixel_size: float) -> dict[str, NDArray[Any]]:
    return {
        "area_um2": columns["area_px"] * pixel_size**2,
        "centroid_y_um": columns["centroid_y_px"] * pixel_size,
        "centroid_x_um": columns["centroid_x_px"] * pixel_size,
        "diameter_um": columns["diameter_px"] * pixel_size,
    }


@njit(nogil=True, cache=True)
def _sweep(labels: NDArray[Any], plane: NDArray[Any], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return boxes (count, 4) int32 and int64 sums (count, 4): pixels, rows, columns, intensity."""
    height, width = labels.shape
    boxes, sums = np.zeros((count, 4), np.int32), np.zeros((count, 4), np.int64)
    boxes[:, 0], boxes[:, 1] = height, width
    for row in range(height):
        for column in range(width):
            at = labels[row, column] - 1
            if at >= 0:
                box, total = boxes[at], sums[at]
                box[0], box[1] = min(box[0], row), min(box[1], column)
                box[2], box[3] = max(box[2], row + 1), max(box[3], column + 1)
                total[0] += 1
                total[1] += row
                total[2] += column
                total[3] += plane[row, column]
    return boxes, sums
