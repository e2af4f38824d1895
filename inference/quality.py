"""Figures that tell whether an image's labels are to be trusted: how sharp it is, and how much of it is saturated."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

DIAMETER = 24
"""Pixels: sharpness is judged at the scale at which a typical object is so wide, or at the image's own if finer."""
FINE, MIDDLE, COARSE = 1.0, 2.0, 4.0
"""Gaussians, in pixels at that scale, between which detail is fine or coarse."""
REACH = 3
"""Pixels at that scale around objects that are looked at as well: their edges are what is sharp or isn't."""
BAND = 1 << 18
"""Pixels that are looked at together: so few stay in the cache, and take half the time of a million."""
LEAST = 1e-4
"""Energy of each pixel, from which it is more than rounding: that of a hundredth of a grey value."""
FULL = 0.995
"""A camera's last value lies so near to a power of two: 255, 4095, 65520."""
Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one plane.

    Attributes
    ----------
    focus
        Energy of fine detail over that of coarse detail, in and near objects; None where there are no objects.
    saturated
        Share of pixels that have the last value a camera knows.
    """

    focus: float | None
    saturated: float


def quality(plane: NDArray[Any], labels: NDArray[np.int32], diameters: NDArray[np.floating[Any]]) -> Quality:
    """Judge a plane by its objects.

    Parameters
    ----------
    plane
        uint8 or uint16 (h, w).
    labels
        (h, w), 0 is background.
    diameters
        Of the objects, in px.
    """
    return Quality(_focus(plane, labels, float(np.median(diameters))) if len(diameters) else None, _saturated(plane))


def _saturated(plane: NDArray[Any]) -> float:
    last = int(plane.max(initial=0))
    if last < FULL * (1 << last.bit_length()) or last < 255:
        return 0.0
    return float(np.count_nonzero(plane == last)) / plane.size


def _focus(plane: NDArray[Any], labels: NDArray[np.int32], diameter: float) -> float | None:
    """The ratio of two differences of Gaussians, which is about that of a Laplacian's energies at two scales.

    The contrast drops out of a ratio, and noise in the background does not come into it. Both scales go with the
    objects, so that it doesn't matter how much they are enlarged.
    """
    factor = min(1.0, DIAMETER / diameter)
    mask = (labels > 0).view(np.uint8)
    if factor < 1:
        size = max(1, round(plane.shape[1] * factor)), max(1, round(plane.shape[0] * factor))
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    unit = diameter * factor / DIAMETER
    fine, coarse = np.sum([_energies(*band, unit) for band in _bands(plane, mask)], axis=0)
    return float(fine / coarse) if coarse > LEAST * plane.size else None


def _bands(plane: NDArray[Any], mask: Mask) -> Iterator[tuple[NDArray[Any], Mask]]:
    rows = max(64, BAND // plane.shape[1])
    for top in range(0, plane.shape[0], rows):
        yield plane[top : top + rows].astype(np.float32), mask[top : top + rows]


def _energies(plane: NDArray[Any], mask: Mask, unit: float) -> tuple[float, float]:
    """Of fine and of coarse detail; the latter has room on half the grid."""
    reach = 2 * max(1, round(REACH * unit)) + 1
    near = cv2.dilate(mask, np.ones((reach, reach), np.uint8))
    sharp = _blurred(plane, FINE * unit)
    middle = _blurred(sharp, unit * (MIDDLE**2 - FINE**2) ** 0.5)
    half = max(1, plane.shape[1] // 2), max(1, plane.shape[0] // 2)
    small, near_small = cv2.resize(middle, half, interpolation=cv2.INTER_AREA), cv2.resize(near, half, interpolation=0)
    smooth = _blurred(small, unit * (COARSE**2 - MIDDLE**2) ** 0.5 / 2)
    fine, coarse = cv2.norm(sharp, middle, cv2.NORM_L2SQR, near), cv2.norm(small, smooth, cv2.NORM_L2SQR, near_small)
    return fine, coarse * plane.size / small.size


def _blurred(plane: NDArray[Any], sigma: float) -> NDArray[Any]:
    side = 2 * max(1, round(3 * sigma)) + 1
    return np.asarray(cv2.GaussianBlur(plane, (side, side), sigma))
