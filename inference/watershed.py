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

    One array of that size is all that is needed beside two of as many entries as there are pixels above 0: it holds the
    union-find's pointers first and the labels afterwards, island by island.

    Parameters
    ----------
    relief
        uint8, flat and bordered; 0 is outside, floods start at high values.
    width
        Length of a row, border included.
    h
        A maximum must stand out by more than this.
    """
    labels = np.zeros(relief.size, np.int32)
    room = np.count_nonzero(relief)
    pixels, ordered = np.empty(room, np.int32), np.empty(room, np.int32)
    count = 0
    for start in range(relief.size):
        if relief[start] and labels[start] == 0:
            size = _collect(start, relief, labels, pixels, width)
            scratch, island = pixels[:size], ordered[:size]
            starts = _descending(scratch, relief, island)
            for pixel in island:
                _join(pixel, relief, labels, width, h)
            count = _seeds(island, relief, labels, scratch, h, count)
            _flood(island, relief, labels, scratch, starts, width)
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
def _descending(pixels: Flat, relief: Flat, island: Flat) -> Flat:
    """Sort `pixels` by height into `island`, highest first; return where each level starts. Equals keep their order."""
    starts = np.zeros(256, np.int64)
    for pixel in pixels:
        starts[relief[pixel]] += 1
    place = 0
    for level in range(255, 0, -1):
        starts[level], place = place, place + starts[level]
    following = starts.copy()
    for pixel in pixels:
        island[following[relief[pixel]]] = pixel
        following[relief[pixel]] += 1
    return starts


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

    `parent` holds 0 outside (place 0 is in the border, so no pixel of an island), -1 for pixels not yet reached, and
    -2 - r for the root of a basin that drowned in the seed of root r.
    """
    level = relief[pixel]
    best = pixel
    for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
        if parent[neighbour] != -1 and parent[neighbour] != 0:
            root = _root(parent, neighbour)
            if parent[root] < -1:
                root = -2 - parent[root]
            if best == pixel or relief[root] > relief[best]:
                best = root
    parent[pixel] = best
    for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
        if parent[neighbour] != -1 and parent[neighbour] != 0:
            root = _root(parent, neighbour)
            if parent[root] >= 0 and root != best and relief[root] - level <= h:
                grown = relief[best] - level > h
                parent[root] = -2 - best if grown else best


@njit(nogil=True, cache=True)
def _seeds(island: Flat, relief: Flat, labels: Flat, roots: Flat, h: int, count: int) -> int:
    """Turn the pointers in `labels` into labels and return the last.

    Pixels within h of the summit of a basin that became a seed get `count` + 1 and on, the others -1; `roots` is
    scratch of the island's size.
    """
    for place, pixel in enumerate(island):
        root = _root(labels, pixel)
        seed = labels[root] == root and int(relief[pixel]) >= int(relief[root]) - h
        roots[place] = root if seed else 0
    for place, pixel in enumerate(island):
        if roots[place] == pixel:
            count += 1
            labels[pixel] = count
    for place, pixel in enumerate(island):
        root = roots[place]
        if root != pixel:
            labels[pixel] = labels[root] if root else -1
    return count


@njit(nogil=True, cache=True)
def _flood(island: Flat, relief: Flat, labels: Flat, queues: Flat, starts: Flat, width: int) -> None:
    """Extend labels over the rest of the island, which has -1.

    A pixel is queued once, at its own level: `queues`, scratch of the island's size, has room for each level's from
    `starts` on.
    """
    first, last = starts.copy(), starts.copy()
    for pixel in island:
        if labels[pixel] > 0:
            for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
                if labels[neighbour] == -1:
                    queues[last[relief[pixel]]] = pixel
                    last[relief[pixel]] += 1
                    break
    level = 255
    while level > 0:
        if first[level] == last[level]:
            level -= 1
            continue
        pixel = queues[first[level]]
        first[level] += 1
        for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
            if labels[neighbour] == -1:
                labels[neighbour] = labels[pixel]
                queues[last[relief[neighbour]]] = neighbour
                last[relief[neighbour]] += 1
                level = max(level, int(relief[neighbour]))


@njit(nogil=True, cache=True)
def remove_low(labels: Flat, relief: Flat, summit: int) -> None:
    """Set labels to 0, in place, whose pixels all lie below `summit` on the relief."""
    high = np.zeros(labels.max() + 1, np.bool_)
    for pixel in range(labels.size):
        if relief[pixel] >= summit:
            high[labels[pixel]] = True
    for pixel in range(labels.size):
        if not high[labels[pixel]]:
            labels[pixel] = 0


@njit(nogil=True, cache=True)
def without_border(labels: Flat, height: int, width: int) -> Flat:
    """Return the (height, width) pixels inside the border of flat labels, moved to the front of the same memory."""
    to = 0
    for row in range(1, height + 1):
        start = row * (width + 2) + 1
        for place in range(start, start + width):
            labels[to] = labels[place]
            to += 1
    return labels[: height * width].reshape(height, width)


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
