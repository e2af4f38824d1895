"""Just enough of TIFF to check a label file: the tags of each page, as they lie in a classic, little-endian file.

Written afresh and short: it refuses whatever the writer of labels has no reason to do, and is many times faster than
a library that reads every TIFF there is.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from loadgen.verify.records import Unreadable

MOST_PAGES = 100_000
"""A chain of pages that is longer runs in circles."""
_SIZES = {2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
"""Bytes of the types ASCII, SHORT, LONG, RATIONAL and UNDEFINED."""
_NUMBERS = {3: "H", 4: "I"}


class Tag(IntEnum):
    """The tags that matter."""

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    DESCRIPTION = 270
    OFFSETS = 273
    SAMPLES = 277
    ROWS = 278
    COUNTS = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    RESOLUTION_UNIT = 296
    TABLE = 65_001


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its tags by number, each with its type and its bytes."""

    tags: dict[int, tuple[int, bytes]]

    def held(self, tag: Tag) -> bytes:
        """The bytes that a tag holds; empty where it is missing."""
        return self.tags.get(tag, (0, b""))[1]

    def numbers(self, tag: Tag) -> tuple[int, ...]:
        """The numbers a tag holds."""
        kind, data = self.tags.get(tag, (0, b""))
        letter = _NUMBERS.get(kind)
        return struct.unpack(f"<{len(data) // _SIZES[kind]}{letter}", data) if letter else ()

    def number(self, tag: Tag) -> int:
        """The one number a tag holds; -1 where it holds none or several."""
        found = self.numbers(tag)
        return found[0] if len(found) == 1 else -1

    def ratio(self, tag: Tag) -> float:
        """The fraction a tag holds; 0 where it holds none."""
        kind, data = self.tags.get(tag, (0, b""))
        above, below = struct.unpack("<II", data) if kind == 5 and len(data) == 8 else (0, 1)
        return above / below if below else 0.0

    def strips(self, file: bytes) -> Iterator[bytes]:
        """The packed strips, from top to bottom; raises `Unreadable`."""
        offsets, counts = self.numbers(Tag.OFFSETS), self.numbers(Tag.COUNTS)
        if not offsets or len(offsets) != len(counts):
            raise Unreadable(f"it has {len(offsets)} places and {len(counts)} lengths of strips")
        for offset, count in zip(offsets, counts, strict=True):
            yield _slice(file, offset, count)


def read_pages(file: bytes) -> list[Page]:
    """All pages of a file; raises `Unreadable`."""
    if file[:4] != b"II*\0":
        raise Unreadable("it does not begin as a TIFF file")
    pages: list[Page] = []
    (at,) = struct.unpack("<I", _slice(file, 4, 4))
    while at:
        if len(pages) == MOST_PAGES:
            raise Unreadable("its pages run in circles")
        (entries,) = struct.unpack("<H", _slice(file, at, 2))
        table = _slice(file, at + 2, 12 * entries)
        pages.append(Page(dict(_tag(file, entry) for entry in struct.iter_unpack("<HHI4s", table))))
        (at,) = struct.unpack("<I", _slice(file, at + 2 + 12 * entries, 4))
    if not pages:
        raise Unreadable("it has no page")
    return pages


def _tag(file: bytes, entry: tuple[int, int, int, bytes]) -> tuple[int, tuple[int, bytes]]:
    number, kind, count, inline = entry
    size = _SIZES.get(kind, 0) * count
    if not size:
        raise Unreadable(f"its tag {number} holds {count} values of type {kind}")
    data = inline[:size] if size <= 4 else _slice(file, int.from_bytes(inline, "little"), size)
    return number, (kind, data)


def _slice(file: bytes, start: int, size: int) -> bytes:
    """Bytes of a file, all of them."""
    found = file[start : start + size]
    if len(found) != size:
        raise Unreadable(f"{size} bytes at {start} are beyond its end")
    return found
