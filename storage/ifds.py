"""The skeleton of a TIFF file: every page's size and kind, read before anything trusts it."""

import struct
from dataclasses import dataclass

from storage.limits import MAX_PAGES, MAX_PIXELS, check_size
from storage.unreadable import Unreadable

MAX_TAGS = 4096
MAX_SEGMENTS = 1 << 18
"""Tiles of one page."""
MAX_SUBPAGES = 64
CLASSIC, BIG = 42, 43
COMPRESSIONS = {1, 5, 7, 8, 32773, 32946, 50000}
"""None, LZW, JPEG, deflate, PackBits, deflate, zstd: those whose unpacked size is bounded from outside."""
UINT, INT, FLOAT = 1, 2, 3
_KINDS = {UINT: "uint", INT: "int", FLOAT: "float", 4: "void", 5: "complex int", 6: "complex"}
_FORMATS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 13: 4, 16: 8, 18: 8}
_NEEDED = {270, 273, 279, 320, 324, 325}
"""Tags that lie elsewhere in the file and must lie in it whole: description, places of the pixels, palette."""
_WANTED = {256, 257, 258, 259, 262, 277, 284, 322, 323, 330, 339}


@dataclass(frozen=True, slots=True)
class Page:
    """What one image file directory says of its image; `bits` and `kind` are of one sample."""

    width: int
    height: int
    bits: int
    kind: int
    compression: int
    photometric: int
    samples: int
    tile: tuple[int, int] | None
    """Height and width of its tiles; none for strips."""
    subpages: int

    @property
    def dtype(self) -> str:
        """As people say it: `uint16`, `float32`, `1-bit`."""
        return "1-bit" if self.bits == 1 else f"{_KINDS.get(self.kind, 'unknown')}{self.bits}"


def read_pages(data: bytes, name: str) -> list[Page]:
    """Walk through all pages of a TIFF or BigTIFF file.

    Parameters
    ----------
    data
        The file.
    name
        What the image is called in sentences.

    Raises
    ------
    Unreadable
        Cut short, going in circles, more than 10,000 pages, a page without pixels or too large, absurd tiles.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == BIG if len(data) >= 16 else False
    layout = _Layout(order, big)
    pages: list[Page] = []
    seen: set[int] = set()
    try:
        at = layout.first(data)
        while at:
            if at in seen:
                raise Unreadable("bad_input", f"{name} is damaged: its pages go in a circle")
            if len(pages) == MAX_PAGES:
                raise Unreadable("bad_input", f"{name} has more than {MAX_PAGES} pages; split it")
            seen.add(at)
            tags, at = layout.page(data, at)
            pages.append(_checked(_page(tags), name))
    except (struct.error, OverflowError):
        raise Unreadable("bad_input", f"{name} is cut short: it ends within page {len(pages) + 1}") from None
    if not pages:
        raise Unreadable("bad_input", f"{name} is a TIFF file without an image")
    return pages


class _Layout:
    """How numbers are laid out in this file; `struct.error` where it ends too early."""

    def __init__(self, order: str, big: bool) -> None:
        self._order = order
        self._big = big
        self._inline = 8 if big else 4
        self._count = struct.Struct(order + ("Q" if big else "H"))
        self._next = struct.Struct(order + ("Q" if big else "I"))
        self._entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))

    def first(self, data: bytes) -> int:
        return int(self._next.unpack_from(data, 8 if self._big else 4)[0])

    def page(self, data: bytes, at: int) -> tuple[dict[int, tuple[int, int]], int]:
        """Of each wanted tag its count and first value, and where the next page is."""
        (count,) = self._count.unpack_from(data, at)
        start = at + self._count.size
        end = start + count * self._entry.size
        (following,) = self._next.unpack_from(data, end)
        if count > MAX_TAGS:
            raise struct.error("too many tags")
        tags = {}
        for tag, *rest in self._entry.iter_unpack(data[start:end]):
            if tag in _WANTED:
                tags[tag] = self._value(data, *rest)
            elif tag in _NEEDED:
                self._insist(data, *rest)
        return tags, following

    def _insist(self, data: bytes, kind: int, count: int, raw: bytes) -> None:
        length = count * _SIZES.get(kind, 1)
        if length > self._inline and self._place(raw) + length > len(data):
            raise struct.error("ends within a tag")

    def _place(self, raw: bytes) -> int:
        return int.from_bytes(raw, "little" if self._order == "<" else "big")

    def _value(self, data: bytes, kind: int, count: int, raw: bytes) -> tuple[int, int]:
        """How many values a tag has, and the first."""
        form = _FORMATS.get(kind)
        if form is None or not count:
            return count, 0
        if count * struct.calcsize(form) > self._inline:
            return count, struct.unpack_from(self._order + form, data, self._place(raw))[0]
        return count, struct.unpack_from(self._order + form, raw)[0]


def _page(tags: dict[int, tuple[int, int]]) -> Page:
    def value(tag: int, default: int) -> int:
        return tags[tag][1] if tag in tags else default

    return Page(
        width=value(256, 0),
        height=value(257, 0),
        bits=value(258, 1),
        kind=value(339, UINT),
        compression=value(259, 1),
        photometric=value(262, 1),
        samples=value(277, 1),
        tile=(value(323, 0), value(322, 0)) if 322 in tags or 323 in tags else None,
        subpages=tags.get(330, (0, 0))[0],
    )


def _checked(page: Page, name: str) -> Page:
    check_size(name, 1, page.height, page.width, page.samples, max(1, page.bits // 8))
    if page.subpages > MAX_SUBPAGES:
        raise Unreadable("bad_input", f"{name} has a page with {page.subpages} smaller versions")
    if page.tile is not None:
        height, width = page.tile
        if not height or not width:
            raise Unreadable("bad_input", f"{name} has tiles of {height} x {width} pixels")
        across, down = -(-page.width // width), -(-page.height // height)
        if across * down > MAX_SEGMENTS or across * width * down * height > 4 * MAX_PIXELS:
            raise Unreadable("bad_input", f"{name} has {across * down} tiles of {height} x {width} pixels")
    return page
