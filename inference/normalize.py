"""Whole-image statistics for normalisation: taken once per image, so that all its tiles agree."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.models import Model


def statistics(plane: NDArray[Any], model: Model) -> tuple[float, float]:
    """Return the intensities (low, high) that the model is to see as 0 and 1: its percentiles of `plane`.

    Equal to `numpy.percentile` with linear interpolation, from a histogram. A flat image gives high = low + 1.

    Raises
    ------
    TypeError
        The plane is neither uint8 nor uint16, or not 2-D.
    ValueError
        The plane is empty.
    """
    if plane.ndim != 2 or plane.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"an image plane is a 2-D array of uint8 or uint16, not {plane.ndim}-D of {plane.dtype}")
    if plane.size == 0:
        raise ValueError(f"an image plane of {plane.shape[0]} x {plane.shape[1]} px has no pixels")
    below = np.cumsum(_histogram(plane))
    low, high = (_percentile(below, percentile) for percentile in model.percentiles)
    return low, high if high > low else low + 1.0


def _histogram(plane: NDArray[Any]) -> NDArray[np.int64]:
    bins = 256 if plane.dtype == np.uint8 else 65536
    counts = cv2.calcHist([np.ascontiguousarray(plane)], [0], None, [bins], [0, bins])
    return counts.ravel().astype(np.int64)


def _percentile(below: NDArray[np.int64], percentile: float) -> float:
    rank = percentile / 100 * float(below[-1] - 1)
    first = int(rank)
    lower, upper = np.searchsorted(below, [first, min(first + 1, below[-1] - 1)], side="right")
    return float(lower + (rank - first) * (upper - lower))
