"""Images of made-up nuclei with known truth, for the demo, tests and load."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

DIAMETER = 24.0  # px, of a typical nucleus
BACKGROUND, BRIGHTNESS = 12.0, 90.0  # photons
GAIN, OFFSET, READ_NOISE = 20.0, 100.0, 2.0  # counts per photon, counts, photons
_SHARE = 0.9  # nuclei keep this share of their diameters' mean between their centres: some touch, few overlap


def field(
    shape: tuple[int, int], seed: int, n_cells: int, dtype: type[np.uint8] | type[np.uint16] = np.uint16
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return a fluorescence image of elliptical nuclei and the truth: the same for the same arguments.

    Nuclei of about 24 px with texture and different brightness lie on a slowly varying background, blurred by the
    optics, under photon (Poisson) and read noise.

    Parameters
    ----------
    shape
        Height and width in px.
    seed
        Fixes everything.
    n_cells
        How many nuclei to place; fewer where no more fit.
    dtype
        `numpy.uint16` (counts of a camera) or `numpy.uint8` (the same over 16, clipped).

    Returns
    -------
    image
        `dtype` of `shape`.
    truth
        int32 labels 1..n of `shape`, 0 is background.
    """
    rng = np.random.default_rng(seed)
    light, truth = _background(shape, rng), np.zeros(shape, np.int32)
    drawn = 0
    for y, x in _places(shape, n_cells, rng):
        drawn += _draw(light, truth, (y, x), drawn + 1, rng)
    photons = rng.poisson(np.maximum(cv2.GaussianBlur(light, (0, 0), 1.2), 0)) + rng.normal(0, READ_NOISE, shape)
    counts = np.clip(photons * GAIN + OFFSET, 0, 4095)
    image = (counts / 16 if dtype == np.uint8 else counts).astype(dtype)
    return image, truth


def _background(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    coarse = rng.uniform(0.7, 1.5, (3, 3)).astype(np.float32)
    return BACKGROUND * np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))


def _places(shape: tuple[int, int], n_cells: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Throw darts; a grid of buckets tells which earlier ones are near."""
    near = DIAMETER * _SHARE
    buckets: dict[tuple[int, int], list[tuple[float, float]]] = {}
    places: list[tuple[float, float]] = []
    for y, x in rng.uniform((0, 0), shape, (30 * n_cells, 2)).tolist():
        if len(places) == n_cells:
            break
        at = (int(y / near), int(x / near))
        around = (p for i in (-1, 0, 1) for j in (-1, 0, 1) for p in buckets.get((at[0] + i, at[1] + j), ()))
        if all((y - a) ** 2 + (x - b) ** 2 >= near**2 for a, b in around):
            buckets.setdefault(at, []).append((y, x))
            places.append((y, x))
    return places


def _draw(
    light: NDArray[np.float32],
    truth: NDArray[np.int32],
    place: tuple[float, float],
    label: int,
    rng: np.random.Generator,
) -> bool:
    """Add one nucleus where no other is; returns whether any of it can be seen."""
    y, x = place
    long, aspect, angle = rng.uniform(0.46, 0.62) * DIAMETER, rng.uniform(0.65, 0.95), rng.uniform(0, np.pi)
    top, left = max(0, int(y - long)), max(0, int(x - long))
    bottom, right = (min(side, int(at + long) + 2) for side, at in zip(light.shape, (y, x), strict=True))
    rows, columns = np.mgrid[top:bottom, left:right]
    dy, dx = rows - y, columns - x
    along = (dy * np.sin(angle) + dx * np.cos(angle)) / long
    across = (dy * np.cos(angle) - dx * np.sin(angle)) / (long * aspect)
    box = np.s_[top:bottom, left:right]
    inside = (along**2 + across**2 <= 1) & (truth[box] == 0)
    truth[box][inside] = label
    texture = cv2.GaussianBlur(rng.normal(0, 1, inside.shape).astype(np.float32), (0, 0), 2.0)
    light[box] += inside * (BRIGHTNESS * rng.uniform(0.5, 1.3) * np.maximum(1 + 0.9 * texture, 0.2))
    return bool(inside.any())
