"""Bring an image to the scale at which a model knows its objects."""

from math import isfinite
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.models import Model

LIMITS = (0.25, 4.0)
PIXEL_SIZES = (0.001, 1000.0)  # µm: electron microscope to slide scanner overview
DIAMETERS = (1.0, 100_000.0)  # px


def scale_for(model: Model, pixel_size: float | None, diameter: float | None) -> float:
    """Return how much to enlarge an image for `model`, between 0.25 and 4.

    Parameters
    ----------
    pixel_size
        µm per pixel of the image, or None when it isn't known.
    diameter
        Typical diameter of the image's objects in px, or None; where both are given, this one decides.

    Raises
    ------
    ValueError
        A value can't be meant: not finite, not positive, or beyond what any microscope gives.
    """
    _check("pixel size", pixel_size, PIXEL_SIZES, "µm")
    _check("object diameter", diameter, DIAMETERS, "px")
    if diameter is not None:
        factor = model.diameter / diameter
    elif pixel_size is not None:
        factor = pixel_size / model.pixel_size
    else:
        factor = 1.0
    return min(max(factor, LIMITS[0]), LIMITS[1])


def rescale(plane: NDArray[Any], factor: float) -> NDArray[Any]:
    """Return `plane` (uint8 or uint16, (h, w)) enlarged by `factor`, same dtype; factor 1 returns the plane itself.

    Sizes are rounded, never below 1 px. Shrinking averages areas, enlarging is bilinear.
    """
    if factor == 1.0:
        return plane
    height, width = (max(1, round(side * factor)) for side in plane.shape)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (width, height), interpolation=way))


def _check(what: str, value: float | None, limits: tuple[float, float], unit: str) -> None:
    if value is None:
        return
    if not isfinite(value) or not limits[0] <= value <= limits[1]:
        raise ValueError(f"The {what} is {value} {unit}; expected {limits[0]:g} to {limits[1]:g} {unit}.")
