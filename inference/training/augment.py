"""Random changes to crops: what differs between microscopes, stains and days."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


def dim_some_nuclei(image: Image, labels: NDArray[np.int32], rng: np.random.Generator) -> Image:
    """Return `image` with a random half of its nuclei dimmed to 15..80 %, three times in ten; else `image` itself.

    Dim nuclei beside bright ones are what a percentile normalisation finds hardest.
    """
    if rng.random() > 0.3:
        return image
    gains = np.where(rng.random(labels.max() + 1) < 0.5, rng.uniform(0.15, 0.8, labels.max() + 1), 1.0)
    gains[0] = 1.0
    base = np.float32(np.percentile(image, 5))
    gain = cv2.GaussianBlur(gains.astype(np.float32)[labels], (0, 0), 1.0)
    return base + (image - base) * gain


def augment(image: Image, target: Image, clip: float, rng: np.random.Generator) -> tuple[Image, Image]:
    """Return image (h, w) and target (h, w, 2) flipped and turned together, the image with other light and noise."""
    turns, flip = int(rng.integers(4)), rng.random() < 0.5
    image, target = np.rot90(image, turns), np.rot90(target, turns)
    if flip:
        image, target = image[::-1], target[::-1]
    image = _optics(np.ascontiguousarray(image), rng)
    return np.clip(image, 0, clip).astype(np.float32), np.ascontiguousarray(target)


def _optics(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 2.0))), np.float32)
    if rng.random() < 0.5:
        image = np.maximum(image, 0) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    image = image * np.float32(rng.uniform(0.7, 1.3)) + np.float32(rng.uniform(-0.05, 0.1))
    if rng.random() < 0.2:
        image = image + _gradient(image.shape, rng)
    if rng.random() < 0.5:
        image = image + rng.normal(0, rng.uniform(0.005, 0.08), image.shape).astype(np.float32)
    return image


def _gradient(shape: tuple[int, ...], rng: np.random.Generator) -> Image:
    corners = rng.uniform(-0.1, 0.15, (2, 2)).astype(np.float32)
    return np.asarray(cv2.resize(corners, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
