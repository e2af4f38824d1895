"""The exact outlines of labels: polygons along the edges of pixels, with holes, one or several for each label.

Corners are corners of pixels: the pixel in row 0 and column 0 lies between (0, 0) and (1, 1), as ImageJ and QuPath
have it. A polygon filled by the centres of pixels gives the label's pixels again, no more and no fewer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

STRIP = 256
"""Rows that are looked through at once for where labels lie."""
Ring = NDArray[np.int32]
"""Corners (N, 2) as x and y; the last leads back to the first, and each is a turn."""
Polygon = list[Ring]
"""What lies around it, then its holes."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A label and the polygons of its parts; parts that only touch at a corner are parts of their own."""

    label: int
    polygons: list[Polygon]


def outlines(plane: NDArray[np.integer[Any]]) -> Iterator[Outline]:
    """The outlines of all labels of a plane (H, W), in the order of their numbers; 0 is background."""
    boxes = _boxes(plane)
    for label in np.flatnonzero(boxes[:, 3]).tolist():
        top, left, bottom, right = boxes[label].tolist()
        mask = (plane[top:bottom, left:right] == label).view(np.uint8)
        corner = np.array([left, top], np.int32)
        yield Outline(label, [[ring + corner for ring in _polygon(part)] for part in _parts(mask)])


def _boxes(plane: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Top, left, bottom and right (ends excluded) of each number that a label may have; zeros where none has it."""
    boxes = np.zeros((int(plane.max(initial=0)) + 1, 4), np.intp)
    boxes[:, :2] = max(plane.shape)
    for top in range(0, plane.shape[0], STRIP):
        strip = plane[top : top + STRIP]
        places = np.nonzero(strip)
        labels = strip[places].astype(np.intp)
        for axis, first in enumerate((top, 0)):
            np.minimum.at(boxes[:, axis], labels, places[axis] + first)
            np.maximum.at(boxes[:, axis + 2], labels, places[axis] + first + 1)
    return boxes


def _parts(mask: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """What hangs together by the sides of its pixels."""
    count, parts = cv2.connectedComponents(mask, connectivity=4)
    if count == 2:
        yield mask
        return
    for part in range(1, count):
        yield (parts == part).view(np.uint8)


def _polygon(part: NDArray[np.uint8]) -> Polygon:
    """Each pixel becomes four: a contour through their centres then tells which edge of the pixel it means."""
    doubled = part.repeat(2, axis=0).repeat(2, axis=1)
    contours, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    is_hole = hierarchy[0, :, 3] >= 0
    return [_ring(contours[at]) for at in np.argsort(is_hole, kind="stable")]


def _ring(contour: NDArray[Any]) -> Ring:
    corners = ((contour[:, 0] + 1) // 2).astype(np.int32)
    ring: Ring = corners[np.any(corners != np.roll(corners, 1, axis=0), axis=1)]
    return ring
