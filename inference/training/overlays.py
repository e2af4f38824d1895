"""A page of images with the outlines of what was found and of what is there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

TRUTH, FOUND = (0, 255, 0), (255, 0, 255)  # blue, green, red: green and magenta
SIDE, COLUMNS = 480, 4


def draw_worst(images: Sequence[tuple[Path, NDArray[np.int32]]], path: Path) -> None:
    """Write a PNG with the images of a set (their truth beside them in `labels/`): truth green, found magenta."""
    panels = [_panel(image, found) for image, found in images]
    panels += [np.zeros((SIDE, SIDE, 3), np.uint8)] * (-len(panels) % COLUMNS)
    rows = [np.hstack(panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows))


def _panel(image: Path, found: NDArray[np.int32]) -> NDArray[Any]:
    """Return the image's middle, enlarged to a square of `SIDE` px."""
    plane = tifffile.imread(image).astype(np.float32)
    truth = tifffile.imread(image.parent.parent / "labels" / image.name)
    low, high = np.percentile(plane, (1, 99.8))
    grey = np.clip((plane - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)
    side = min(*plane.shape, SIDE)
    top, left = ((n - side) // 2 for n in plane.shape)
    middle = np.s_[top : top + side, left : left + side]
    large = (SIDE, SIDE)
    panel = cv2.cvtColor(cv2.resize(grey[middle], large, interpolation=cv2.INTER_LINEAR), cv2.COLOR_GRAY2BGR)
    for labels, colour in ((truth, TRUTH), (found, FOUND)):
        whole = cv2.resize(labels[middle].astype(np.float32), large, interpolation=cv2.INTER_NEAREST)
        panel[cv2.morphologyEx(whole, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0] = colour
    return np.asarray(cv2.putText(panel, image.stem[:16], (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255)))
