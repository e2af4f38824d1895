"""Cheap, distinct images in a stored zip, a share of them hostile: 100,000 take some ten seconds."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

NUCLEUS = 22  # px
STACK_EVERY = 40
"""One image of so many has two planes: two tiles, which fan out where a process may hold only one."""


class Nature(StrEnum):
    """What an image is meant to end as."""

    HEALTHY = "healthy"
    DAMAGED = "damaged"
    """Rejected as `bad_input`."""
    KILLER = "killer"
    """Whoever reads it dies, so it is rejected as `killed`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One image of the archive: where its local header begins, and what it is meant to end as."""

    offset: int
    nature: Nature


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip of images, in the order of its directory."""

    path: Path
    members: list[Member]

    def of(self, nature: Nature) -> set[int]:
        """The numbers of the images of one nature."""
        return {number for number, member in enumerate(self.members) if member.nature is nature}


def write_archive(path: Path, images: int, side: int, seed: int, poison: float = 0.0) -> Archive:
    """Write so many distinct uint8 images of `side` x `side` px, each with a few bright blobs on noise.

    Parameters
    ----------
    path
        The zip.
    images, side
        How many, and how large in px.
    seed
        Fixes every byte.
    poison
        The share of hostile ones; damaged and killers in turn.
    """
    natures = _natures(images, seed, poison)
    members = []
    with zipfile.ZipFile(path, "w") as archive:
        for number, data in enumerate(_files(natures, side, seed)):
            info = zipfile.ZipInfo(f"image_{number:06d}.tif")
            archive.writestr(info, data)
            members.append(Member(info.header_offset, natures[number]))
    return Archive(path, members)


def _natures(images: int, seed: int, poison: float) -> list[Nature]:
    natures = [Nature.HEALTHY] * images
    count = round(images * poison)
    chosen = np.random.default_rng([seed, 1]).choice(images, count, replace=False)
    for turn, number in enumerate(chosen):
        natures[number] = Nature.KILLER if turn % 2 else Nature.DAMAGED
    return natures


def _files(natures: list[Nature], side: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng([seed, 2])
    single, stack, blob = _Template((side, side)), _Template((2, side, side)), _blob()
    for number, nature in enumerate(natures):
        template = stack if number % STACK_EVERY == STACK_EVERY - 1 else single
        data = template.filled(_pixels(template.shape, blob, rng))
        yield data[: len(data) // 2] if nature is Nature.DAMAGED else data


class _Template:
    """A TIFF file as tifffile writes it, whose pixels are replaced: a twentieth of the time of writing each."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        file = io.BytesIO()
        tifffile.imwrite(file, np.zeros(shape, np.uint8), photometric="minisblack")
        with tifffile.TiffFile(io.BytesIO(file.getvalue())) as opened:
            self._start = opened.pages[0].dataoffsets[0]
        self._data = file.getvalue()

    def filled(self, pixels: NDArray[np.uint8]) -> bytes:
        return self._data[: self._start] + pixels.tobytes() + self._data[self._start + pixels.nbytes :]


def _blob() -> NDArray[np.uint8]:
    y, x = np.mgrid[:NUCLEUS, :NUCLEUS] - (NUCLEUS - 1) / 2
    profile = 1 / (1 + np.exp((np.hypot(y, x) - NUCLEUS / 2.6) / 0.8))
    blob: NDArray[np.uint8] = (170 * profile).astype(np.uint8)
    return blob


def _pixels(shape: tuple[int, ...], blob: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    pixels = rng.integers(8, 24, shape, np.uint8)
    height, width = shape[-2:]
    for plane in pixels.reshape(-1, height, width):
        for y, x in rng.integers(0, (height - NUCLEUS, width - NUCLEUS), (rng.integers(2, 6), 2)):
            patch = plane[y : y + NUCLEUS, x : x + NUCLEUS]
            np.maximum(patch, blob + (patch & 7), out=patch)
    return pixels
