"""How well labels agree with the truth."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def f1(truth: NDArray[Any], labels: NDArray[Any], iou: float = 0.5) -> float:
    """Return the F1 score of the objects in `labels`: 1 when every object was found and nothing else.

    A found object counts when it and an object of the truth overlap by more than `iou` (intersection over union); from
    one half on at most one can. F1 is then twice the hits over the objects in both; two empty images agree (Caicedo et
    al. 2019, https://doi.org/10.1038/s41592-019-0612-7).

    Raises
    ------
    ValueError
        The shapes differ, or `iou` lies outside 0.5..1, where matches wouldn't be unique.
    """
    return f1_at(truth, labels, [iou])[0]


def f1_at(truth: NDArray[Any], labels: NDArray[Any], ious: Sequence[float]) -> list[float]:
    """Return `f1` at each of the `ious`."""
    if truth.shape != labels.shape:
        raise ValueError(f"truth has shape {truth.shape}, labels {labels.shape}")
    if wrong := [iou for iou in ious if not 0.5 <= iou < 1]:
        raise ValueError(f"an IoU of {wrong[0]} doesn't give unique matches; expected 0.5 to 1")
    overlaps = _overlaps(truth, labels)
    areas, found = overlaps.sum(axis=1), overlaps.sum(axis=0)
    inner = overlaps[1:, 1:]
    unions = np.maximum(areas[1:, None] + found[None, 1:] - inner, 1)
    objects = int(np.count_nonzero(areas[1:]) + np.count_nonzero(found[1:]))
    return [2 * int(np.count_nonzero(inner > iou * unions)) / objects if objects else 1.0 for iou in ious]


def average_precision(scores: Sequence[float]) -> float:
    """Return the mean over IoUs of hits / (hits + missed + invented), which follows from the F1 at each."""
    return float(np.mean([score / (2 - score) for score in scores]))


def _overlaps(truth: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many pixels each pair of labels shares; row and column 0 are background."""
    rows, a = np.unique(np.append(truth.ravel().astype(np.int64), 0), return_inverse=True)
    columns, b = np.unique(np.append(labels.ravel().astype(np.int64), 0), return_inverse=True)
    counts = np.bincount(a * columns.size + b, minlength=rows.size * columns.size).reshape(rows.size, columns.size)
    counts[0, 0] -= 1  # the appended pixel, there so that both have a background
    return counts
