"""What lies in real fields beside nuclei in focus: debris, saturated blobs, fibres, out-of-focus light."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


def clutter(image: Image, foreground: Image, rng: np.random.Generator) -> Image:
    """Return `image` with things on its background that are no nuclei, one time in four; else `image` itself."""
    if rng.random() > 0.25:
        return image
    free = foreground < 0.1
    added = np.zeros_like(image)
    for _ in range(int(rng.integers(1, 5))):
        _one(added, rng)
    touched = cv2.dilate((added > 0.1).astype(np.uint8), np.ones((3, 3), np.uint8))
    number, parts = cv2.connectedComponents(touched)
    covered = np.unique(parts[~free])
    added[np.isin(parts, covered[covered > 0])] = 0  # what would lie on a nucleus would make its mask wrong
    glow = cv2.GaussianBlur(added, (0, 0), float(rng.uniform(0.7, 2.5))) + 0.1 * _haze(added, rng)
    return image + glow if number > 1 else image


def out_of_focus(image: Image, rng: np.random.Generator) -> Image:
    """Return `image` under light from above and below the plane of focus, one time in five; else `image` itself."""
    if rng.random() > 0.2:
        return image
    turned = np.ascontiguousarray(np.rot90(image, 2)) if rng.random() < 0.5 else image
    return image + np.float32(rng.uniform(0.2, 0.9)) * _haze(turned, rng)


def _one(canvas: Image, rng: np.random.Generator) -> None:
    height, width = canvas.shape
    at = (int(rng.integers(width)), int(rng.integers(height)))
    light = float(np.exp(rng.uniform(np.log(0.3), np.log(4.0))))
    kind = rng.random()
    if kind < 0.5:  # specks
        cv2.circle(canvas, at, int(rng.integers(1, 4)), light, -1)
    elif kind < 0.8:  # a clump, larger than a nucleus
        axes = (int(rng.integers(22, 60)), int(rng.integers(18, 45)))
        cv2.ellipse(canvas, at, axes, float(rng.uniform(0, 180)), 0, 360, max(light, 1.5), -1)
    else:  # a fibre
        end = (at[0] + int(rng.integers(-120, 120)), at[1] + int(rng.integers(-120, 120)))
        cv2.line(canvas, at, end, light, int(rng.integers(1, 4)))


def _haze(image: Image, rng: np.random.Generator) -> Image:
    """Blur by 8 to 30 px, on an eighth of the size: so soft a thing needs no more."""
    small = cv2.resize(image, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(1.0, 3.75)))
    return np.asarray(cv2.resize(soft, image.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
