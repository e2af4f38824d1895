"""Where the members of a zip archive lie, told from its directory, and which of them claim what belongs to another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.directory import HEADER, Directory

Numbers = NDArray[np.int64]


def spans(directory: Directory) -> Numbers:
    """Bytes from each member's local header up to whatever follows, in the order of the directory.

    0 for a member that overlaps with another or with the directory. Of members that overlap those stay that end first:
    no byte is then read for two of them, which is what zip bombs by overlap live on, and a line that lies costs few
    others.
    """
    starts, ends = _extents(directory)
    kept: NDArray[np.bool_] = ends <= directory.start
    if _overlap(starts[kept], ends[kept]):
        _drop_overlapping(starts, ends, kept)
    following = np.append(np.sort(starts[kept]), directory.start)
    found = np.zeros(len(starts), np.int64)
    found[kept] = following[np.searchsorted(following, starts[kept], "right")] - starts[kept]
    return found


def _extents(directory: Directory) -> tuple[Numbers, Numbers]:
    """Where members begin, and at least end; what lies behind the directory's begin is all the same."""
    wrong = directory.start + 1
    pairs: NDArray[Any] = np.fromiter(
        (
            (min(entry.offset, wrong), min(entry.offset + HEADER + len(entry.name) + entry.packed, wrong))
            for entry in directory.entries()
        ),
        np.dtype((np.int64, 2)),
    )
    return pairs[:, 0], pairs[:, 1]


def _overlap(starts: Numbers, ends: Numbers) -> bool:
    order = np.argsort(starts)
    return bool((ends[order][:-1] > starts[order][1:]).any())


def _drop_overlapping(starts: Numbers, ends: Numbers, kept: NDArray[np.bool_]) -> None:
    """Take members by their ends, each that begins behind the last one taken: the most that fit."""
    reached = 0
    for number in np.argsort(ends, kind="stable"):
        if kept[number] and starts[number] >= reached:
            reached = ends[number]
        else:
            kept[number] = False
