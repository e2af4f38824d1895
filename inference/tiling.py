"""Cut images that are too large for a model into tiles, and put the tiles' maps together without a seam.

A tile is read with a halo that covers the network's receptive field and starts at multiples of its stride, so that
every kept pixel is computed from the same numbers as in the whole image.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.models import Model


class Box(NamedTuple):
    """A rectangle in px: rows top..bottom and columns left..right, the ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.bottom - self.top, self.right - self.left


@dataclass(frozen=True, slots=True)
class Tile:
    """What is read for a tile (`read`: core and halo, clipped to the image) and what is kept of its maps (`core`)."""

    index: int
    read: Box
    core: Box


@dataclass(frozen=True, slots=True)
class Plan:
    """The tiles of an image of `shape`; `digest` changes with everything that decides them."""

    shape: tuple[int, int]
    tiles: tuple[Tile, ...]
    digest: str


def plan(shape: tuple[int, int], model: Model) -> Plan:
    """Return the fewest tiles of equal size that cover an image of `shape` (px, at the model's scale).

    Their cores share no pixel and leave none out.

    Raises
    ------
    ValueError
        A side is below 1 px.
    """
    if min(shape) < 1:
        raise ValueError(f"an image of {shape[0]} x {shape[1]} px has no pixels to tile")
    rows, columns = (_spans(side, model) for side in shape)
    tiles = tuple(
        Tile(index, Box(row[0], column[0], row[3], column[3]), Box(row[1], column[1], row[2], column[2]))
        for index, (row, column) in enumerate((row, column) for row in rows for column in columns)
    )
    return Plan(shape, tiles, _digest(shape, model))


def cut(plane: NDArray[Any], tile: Tile, stride: int) -> NDArray[Any]:
    """Return the tile's `read` box of `plane` ((h, w), any dtype), its sides extended by reflection to the stride."""
    top, left, bottom, right = tile.read
    part = plane[top:bottom, left:right]
    below, beside = (-side % stride for side in part.shape)
    if below == beside == 0:
        return np.ascontiguousarray(part)
    return np.asarray(cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_REFLECT_101))


def core_of(maps: NDArray[Any], tile: Tile) -> NDArray[Any]:
    """Return the core's part (a view) of `maps` (n, h, w), which cover the tile's `read` box and its extension.

    Raises
    ------
    ValueError
        The maps are smaller than the box that was read.
    """
    if maps.ndim != 3 or maps.shape[1] < tile.read.shape[0] or maps.shape[2] < tile.read.shape[1]:
        raise ValueError(f"tile {tile.index} was read as {tile.read.shape}, but its maps have shape {maps.shape}")
    top, left = tile.core.top - tile.read.top, tile.core.left - tile.read.left
    height, width = tile.core.shape
    return maps[:, top : top + height, left : left + width]


def stitch(plan: Plan, cores: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the maps (n, h, w) of the whole image from those of the cores, in the order of the plan's tiles.

    With one tile its core is returned as it is, without a copy.

    Raises
    ------
    ValueError
        There are too few or too many cores, or one has another size than planned.
    """
    if len(cores) != len(plan.tiles):
        raise ValueError(f"the plan has {len(plan.tiles)} tiles, but {len(cores)} cores came")
    for tile, core in zip(plan.tiles, cores, strict=True):
        if core.shape[1:] != tile.core.shape:
            raise ValueError(f"the core of tile {tile.index} has shape {core.shape[1:]}, not {tile.core.shape}")
    if len(cores) == 1:
        return cores[0]
    whole = np.empty((cores[0].shape[0], *plan.shape), cores[0].dtype)
    for tile, core in zip(plan.tiles, cores, strict=True):
        whole[:, tile.core.top : tile.core.bottom, tile.core.left : tile.core.right] = core
    return whole


def _spans(side: int, model: Model) -> list[tuple[int, int, int, int]]:
    """Return (read start, core start, core end, read end) of each tile along one axis."""
    step = _step(side, model)
    starts = range(0, side, step)
    return [(max(0, s - model.halo), s, min(s + step, side), min(s + step + model.halo, side)) for s in starts]


def _step(side: int, model: Model) -> int:
    stride, halos, count = model.stride, 0, 1
    while (step := -(-side // (count * stride)) * stride) + halos > model.max_tile:
        count += 1
        halos = model.halo * min(count - 1, 2)  # two tiles have one inner edge each, more have two
    return step


def _digest(shape: tuple[int, int], model: Model) -> str:
    facts = [list(shape), model.digest, model.halo, model.stride, model.max_tile]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
