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

from inference.synthetic import field
from inference.training.augment import augment, relight_nuclei
from inference.training.config import EXCLUDED, Config

UNKNOWN = -1.0  # in a target: beyond the annotated image, so nothing to learn from


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
    """Return one augmented crop: image (crop, crop) and target (crop, crop, 2), float32.

    Beyond the image's edge the crop is its mirror image and the target is `UNKNOWN`.
    """
    factor = config.diameter / sample.diameter * np.exp(rng.uniform(*np.log(config.jitter)))
    image, labels, distance = _window(sample, int(np.ceil(config.crop / factor * 1.25)), rng)
    image = relight_nuclei(image, labels, rng)
    if factor < 0.8:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / factor), np.float32)
    turn = _turn(image.shape, factor, config.crop, rng)
    crop = _warped(image, turn, config.crop, cv2.BORDER_REFLECT)
    target = _warped(np.dstack([distance, (labels > 0).astype(np.float32)]), turn, config.crop, cv2.BORDER_CONSTANT)
    target[(target < 0).any(axis=2)] = UNKNOWN
    return augment(crop, target, config.clip, rng), np.minimum(target, 1)


def typical_diameter(labels: NDArray[Any]) -> float:
    """Return the diameter of the circle with the median area of the objects in `labels`, in px; 1 without objects."""
    areas = np.bincount(labels.ravel())[1:]
    return 2 * float(np.sqrt(np.median(areas[areas > 0]) / np.pi)) if areas.any() else 1.0


def distance_of(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the Euclidean distance of every pixel to its object's edge, over the object's largest: 0..1, float32."""
    result = np.zeros(labels.shape, np.float32)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            mask = labels[box] == label
            distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
            result[box][mask] = (distance / distance.max())[mask]
    return result


def made_up(config: Config) -> list[Sample]:
    """Return synthetic images with known truth: from sparse to crowded, nuclei of 8 to 24 px."""
    rng = np.random.default_rng(config.seed)
    made = []
    for number in range(config.synthetic):
        plane, truth = field((512, 512), number, int(rng.uniform(80, 520)), np.uint8)
        side = int(512 * rng.choice((1.0, rng.uniform(0.33, 0.7))))
        smaller = np.asarray(cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA))
        labels = np.asarray(cv2.resize(truth, (side, side), interpolation=cv2.INTER_NEAREST), np.int32)
        made.append(_sample(f"synthetic-{number}", smaller, labels, config))
    return made


def _read(folder: Path, name: str, config: Config) -> Sample:
    plane = tifffile.imread(folder / "images" / f"{name}.tif")
    labels = tifffile.imread(folder / "labels" / f"{name}.tif").astype(np.int32)
    return _sample(name, plane, labels, config)


def _sample(name: str, plane: NDArray[Any], labels: NDArray[np.int32], config: Config) -> Sample:
    low, high = np.percentile(plane, config.percentiles)
    image = np.clip((plane.astype(np.float32) - low) / max(high - low, 1.0), 0, 2 * config.clip)
    return Sample(name, image.astype(np.float32), labels, distance_of(labels), typical_diameter(labels))


def _turn(shape: tuple[int, ...], factor: float, crop: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the affine map (2, 3) of a crop into the middle of its window: turned, mirrored, stretched by 15 %."""
    angle = rng.uniform(0, 2 * np.pi)
    sine, cosine = np.sin(angle), np.cos(angle)
    scale = np.diag(np.exp(rng.uniform(-0.07, 0.07, 2)) * (1, rng.choice((-1, 1)))) / factor
    back = np.array([[cosine, -sine], [sine, cosine]]) @ scale
    centre = np.array([shape[1], shape[0]]) / 2
    return np.column_stack([back, centre - back @ np.array([crop / 2, crop / 2])])


def _warped(plane: NDArray[np.float32], back: NDArray[np.float64], crop: int, border: int) -> NDArray[np.float32]:
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    beyond = (-1e3, -1e3)  # so far below 0 that what is mixed with it is still negative
    return np.asarray(cv2.warpAffine(plane, back, (crop, crop), flags=way, borderMode=border, borderValue=beyond))


def _window(
    sample: Sample, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Return a part of the image, `side` px wide where it is as large as that."""
    height, width = sample.image.shape
    top, left = (int(rng.integers(0, max(n - side, 0) + 1)) for n in (height, width))
    part = np.s_[top : top + side, left : left + side]
    return sample.image[part], sample.labels[part], sample.distance[part]
