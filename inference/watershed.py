"""Seeded watershed on 8-bit maps, compiled.

Seeds are the h-maxima of the map (Soille, Morphological Image Analysis, 2nd ed., section 6.3.4): found in one
descending sweep that merges basins by union-find and lets go of those that meet a higher one before they have fallen by
more than h. Flooding is Meyer's algorithm (1991) with one first-in-first-out queue per grey level. Both go island by
island, an island being connected pixels above 0: nothing passes between them, and what is near stays in the cache.

Images are flat and carry a border of one pixel of 0, which spares every bounds check. All connectivity is 4.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Flat = NDArray[Any]


@njit(nogil=True, cache=True)
def watershed(relief: Flat, width: int, h: int) -> Flat:
    """Return int32 labels (1..n, 0 outside) of the basins around the h-maxima of `relief`.

    Parameters
    ----------
    relief
        uint8, flat and bordered; 0 is outside, floods start at high values.
    width
        Length of a row, border included.
    h
        A maximum must stand out by more than this.
    """
    labels, parent = np.zeros(relief.size, np.int32), np.full(relief.size, -1, np.int32)
    pixels = np.empty(np.count_nonzero(relief), np.int32)
    count = 0
    for start in range(relief.size):
        if relief[start] and labels[start] == 0:
            island = pixels[: _collect(start, relief, labels, pixels, width)]
            island = _descending(island, relief)
            for pixel in island:
                _join(pixel, relief, parent, width, h)
            count = _seeds(island, relief, parent, labels, h, count)
            _flood(island, relief, labels, parent, width)
    return labels


@njit(nogil=True, cache=True)
def _collect(start: int, relief: Flat, labels: Flat, pixels: Flat, width: int) -> int:
    """Write the island around `start` to the front of `pixels`, give it label -1, and return its size."""
    pixels[0], labels[start] = start, -1
    done, size = 0, 1
    while done < size:
        pixel = pixels[done]
        done += 1
        for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
            if relief[neighbour] and labels[neighbour] == 0:
                labels[neighbour] = -1
                pixels[size] = neighbour
                size += 1
    return size


@njit(nogil=True, cache=True)
def _descending(island: Flat, relief: Flat) -> Flat:
    """Return the pixels of `island` sorted by height, highest first; equals keep their order."""
    starts = np.zeros(256, np.int64)
    for pixel in island:
        starts[relief[pixel]] += 1
    place = 0
    for level in range(255, 0, -1):
        starts[level], place = place, place + starts[level]
    order = np.empty(island.size, np.int32)
    for pixel in island:
        order[starts[relief[pixel]]] = pixel
        starts[relief[pixel]] += 1
    return order


@njit(nogil=True, cache=True, inline="always")
def _root(parent: Flat, pixel: int) -> int:
    while parent[pixel] >= 0 and parent[pixel] != pixel:
        if parent[parent[pixel]] >= 0:
            parent[pixel] = parent[parent[pixel]]  # halve the path
        pixel = parent[pixel]
    return pixel


@njit(nogil=True, cache=True)
def _join(pixel: int, relief: Flat, parent: Flat, width: int, h: int) -> None:
    """Add one pixel to the highest basin beside it, and give basins that can't become seeds to that one.

    `parent` holds -1 for pixels not yet reached, and -2 - r for the root of a basin that drowned in the seed of root r.
    """
    level = relief[pixel]
    best = pixel
    for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
        if parent[neighbour] != -1:
            root = _root(parent, neighbour)
            if parent[root] < -1:
                root = -2 - parent[root]
            if best == pixel or relief[root] > relief[best]:
                best = root
    parent[pixel] = best
    for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
        if parent[neighbour] != -1:
            root = _root(parent, neighbour)
            if parent[root] >= 0 and root != best and relief[root] - level <= h:
                grown = relief[best] - level > h
                parent[root] = -2 - best if grown else best


@njit(nogil=True, cache=True)
def _seeds(island: Flat, relief: Flat, parent: Flat, labels: Flat, h: int, count: int) -> int:
    """Label, from `count` + 1 on, the pixels within h of the summit of a basin that became a seed; return the last."""
    for pixel in island:
        if parent[pixel] == pixel:
            count += 1
            labels[pixel] = count
    for pixel in island:
        root = _root(parent, pixel)
        if parent[root] == root and int(relief[pixel]) >= int(relief[root]) - h:
            labels[pixel] = labels[root]
    return count


@njit(nogil=True, cache=True)
def _flood(island: Flat, relief: Flat, labels: Flat, following: Flat, width: int) -> None:
    """Extend labels over the rest of the island, which has -1; `following` is scratch for the queues' links."""
    first, last = np.full(256, -1, np.int32), np.full(256, -1, np.int32)
    for pixel in island:
        if labels[pixel] > 0:
            for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
                if labels[neighbour] == -1:
                    _append(first, last, following, relief[pixel], pixel)
                    break
    level = 255
    while level > 0:
        pixel = first[level]
        if pixel < 0:
            level -= 1
            continue
        first[level] = following[pixel]
        for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
            if labels[neighbour] == -1:
                labels[neighbour] = labels[pixel]
                _append(first, last, following, relief[neighbour], neighbour)
                level = max(level, int(relief[neighbour]))


@njit(nogil=True, cache=True, inline="always")
def _append(first: Flat, last: Flat, following: Flat, level: int, pixel: int) -> None:
    following[pixel] = -1
    if first[level] < 0:
        first[level] = pixel
    else:
        following[last[level]] = pixel
    last[level] = pixel


@njit(nogil=True, cache=True)
def renumber(labels: Flat, least: int) -> int:
    """Give the labels of a 2-D int32 array numbers 1..n in raster order, in place; returns n.

    Those with fewer than `least` pixels become 0.
    """
    areas = np.zeros(labels.max() + 1, np.int64)
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            areas[labels[row, column]] += 1
    number = np.zeros(areas.size, np.int32)
    count = 0
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            label = labels[row, column]
            if label:
                if number[label] == 0 and areas[label] >= least:
                    count += 1
                    number[label] = count
                labels[row, column] = number[label]
    return count
