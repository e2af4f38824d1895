"""Random changes to crops: what differs between microscopes, stains and days."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.clutter import clutter, out_of_focus

Image = NDArray[np.float32]


def relight_nuclei(image: Image, labels: NDArray[np.int32], rng: np.random.Generator) -> Image:
    """Return `image` with some of its nuclei dimmed, or a few made far brighter than the rest, four times in ten.

    Dim nuclei beside bright ones are what a percentile normalisation finds hardest. Dimmed further than this they would
    be darker than cytoplasm often is; a network trained so took cytoplasm for nuclei, which may have been the reason.
    """
    kind, count = rng.random(), int(labels.max()) + 1
    if kind > 0.4:
        return image
    if kind < 0.3:
        gains = np.where(rng.random(count) < rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.9, count), 1.0)
    else:
        gains = np.where(rng.random(count) < 0.12, rng.uniform(1.5, 4.0, count), 1.0) / rng.uniform(1, 2)
    gains[0] = 1.0
    base = np.float32(np.percentile(image[::4, ::4], 5))
    gain = cv2.GaussianBlur(gains.astype(np.float32)[labels], (0, 0), 1.0)
    return base + (image - base) * gain


def augment(image: Image, target: Image, clip: float, rng: np.random.Generator) -> Image:
    """Return `image` (h, w) with other light, optics, clutter and noise; `target` (h, w, 2) says where nuclei are."""
    image = clutter(np.maximum(image, 0), target[..., 1], rng)
    image = out_of_focus(image, rng)
    return np.clip(_camera(_optics(image, rng), rng), 0, clip).astype(np.float32)


def _optics(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.35:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(np.exp(rng.uniform(-0.9, 0.95)))), np.float32)
    if rng.random() < 0.5:
        image = np.maximum(image, 0) ** np.float32(np.exp(rng.uniform(-0.6, 0.6)))
    if rng.random() < 0.3:
        image = image * _field(image.shape, (0.5, 1.5), rng) + _field(image.shape, (-0.05, 0.15), rng)
    return image


def _camera(image: Image, rng: np.random.Generator) -> Image:
    gain = np.exp(rng.uniform(np.log(0.35), np.log(1.0))) if rng.random() < 0.2 else rng.uniform(0.7, 1.35)
    image = image * np.float32(gain) + np.float32(rng.uniform(-0.03, 0.12))
    if rng.random() < 0.5:
        deviation = gain * rng.uniform(0.005, 0.07)
        shot = np.sqrt(np.maximum(image, 0.05)) if rng.random() < 0.5 else 1.0
        image = image + np.float32(deviation) * shot * rng.standard_normal(image.shape, np.float32)
    return image


def _field(shape: tuple[int, ...], limits: tuple[float, float], rng: np.random.Generator) -> Image:
    corners = rng.uniform(*limits, (2, 2)).astype(np.float32)
    return np.asarray(cv2.resize(corners, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
