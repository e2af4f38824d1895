"""Training images with their targets, and crops drawn from them at the model's scale."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped,unused-ignore]

from inference.training.augment import augment, dim_some_nuclei
from inference.training.config import EXCLUDED, Config


@dataclass(frozen=True, slots=True)
class Sample:
    """One annotated image: normalised intensities, labels, targets, and the diameter of its typical nucleus in px."""

    name: str
    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    distance: NDArray[np.float32]
    diameter: float


def read_sets(root: Path, sets: tuple[str, ...], config: Config) -> list[Sample]:
    """Return the images of `sets` under `root`, without the excluded ones, in the order of the index."""
    entries = json.loads((root / "index.json").read_text())
    wanted = [e for e in entries if e["set"] in sets and e["file"] not in EXCLUDED and e["n"] > 0]
    return [_read(root / e["set"], e["file"], config) for e in wanted]


def split(samples: list[Sample], every: int) -> tuple[list[Sample], list[Sample]]:
    """Return (training, held out): every `every`-th sample is held out, to choose thresholds on."""
    return [s for i, s in enumerate(samples) if i % every], samples[::every]


def batches(
    samples: list[Sample], config: Config, seed: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield endless batches: images (n, crop, crop, 1) and targets (n, crop, crop, 2), float32."""
    rng = np.random.default_rng(seed)
    shapes = Counter(s.image.shape for s in samples)
    weights = np.array([shapes[s.image.shape] ** -0.5 for s in samples])  # labs differ in shape: rare ones count more
    chosen = weights / weights.sum()
    while True:
        drawn = [draw(samples[rng.choice(len(samples), p=chosen)], config, rng) for _ in range(config.batch)]
        yield np.stack([image for image, _ in drawn])[..., None], np.stack([target for _, target in drawn])


def draw(sample: Sample, config: Config, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one augmented crop: image (crop, crop) and target (crop, crop, 2), float32."""
    factor = config.diameter / sample.diameter * np.exp(rng.uniform(*np.log(config.jitter)))
    image, labels, distance = _window(sample, int(np.ceil(config.crop / factor)), rng)
    image = dim_some_nuclei(image, labels, rng)
    size = (config.crop, config.crop)
    down = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    target = np.dstack([distance, (labels > 0).astype(np.float32)])
    crop, target = cv2.resize(image, size, interpolation=down), cv2.resize(target, size, interpolation=down)
    return augment(np.asarray(crop), np.clip(target, 0, 1), config.clip, rng)


def distance_of(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the Euclidean distance of every pixel to its object's edge, over the object's largest: 0..1, float32."""
    result = np.zeros(labels.shape, np.float32)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            mask = labels[box] == label
            distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
            result[box][mask] = (distance / distance.max())[mask]
    return result


def _read(folder: Path, name: str, config: Config) -> Sample:
    plane = tifffile.imread(folder / "images" / f"{name}.tif")
    labels = tifffile.imread(folder / "labels" / f"{name}.tif").astype(np.int32)
    low, high = np.percentile(plane, config.percentiles)
    image = np.clip((plane.astype(np.float32) - low) / max(high - low, 1.0), 0, 2 * config.clip)
    areas = np.bincount(labels.ravel())[1:]
    diameter = 2 * float(np.sqrt(np.median(areas[areas > 0]) / np.pi))
    return Sample(name, image.astype(np.float32), labels, distance_of(labels), diameter)


def _window(
    sample: Sample, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    height, width = sample.image.shape
    top, left = (int(rng.integers(0, max(n - side, 0) + 1)) for n in (height, width))
    missing = ((0, max(0, side - height)), (0, max(0, side - width)))

    def part(plane: NDArray[Any]) -> NDArray[Any]:
        return np.pad(plane[top : top + side, left : left + side], missing, "symmetric")

    return part(sample.image), part(sample.labels), part(sample.distance)
