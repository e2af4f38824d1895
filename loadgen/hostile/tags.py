"""TIFF files in which every tag can lie. Format: TIFF 6.0 and BigTIFF."""

import struct
from collections.abc import Mapping, Sequence

BYTE, ASCII, SHORT, LONG, RATIONAL, LONG8 = 1, 2, 3, 4, 5, 16
_FORMATS = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", LONG8: "Q"}
WIDTH, HEIGHT, BITS, PACKING, MEANING, TEXT, PLACES, SAMPLES, ROWS, LENGTHS, PLANAR = (
    256, 257, 258, 259, 262, 270, 273, 277, 278, 279, 284,
)  # fmt: skip
TILE_WIDTH, TILE_HEIGHT, TILE_PLACES, TILE_LENGTHS, SUBPAGES, PALETTE = 322, 323, 324, 325, 330, 320
PREDICTOR, SUBSAMPLING, CAMERA, POSITION = 317, 530, 34665, 34853
Value = int | bytes | Sequence[int] | tuple[str, int, int, int]
"""A number, a text, numbers, or (`raw`, type, count, number): an entry as it is to stand there."""
Tags = Mapping[int, Value]
START = 8
"""Where the pixels begin in a classic file of `build`."""


def plain(width: int = 48, height: int = 64, bits: int = 16, also: Tags | None = None) -> dict[int, Value]:
    """The tags of a grey image in one strip behind the header, with what else is said or said otherwise."""
    length = width * height * bits // 8
    return {
        WIDTH: width, HEIGHT: height, BITS: bits, PACKING: 1, MEANING: 1, PLACES: START, SAMPLES: 1, ROWS: height,
        LENGTHS: min(length, 0xFFFFFFFF), **(also or {}),
    }  # fmt: skip


def build(pages: Sequence[Tags], data: bytes = b"", order: str = "<", big: bool = False, last: int = 0) -> bytes:
    """A file of these pages behind this data; `last` is where the last page says that another one lies."""
    head = 16 if big else START
    out = bytearray(data.ljust(len(data) + -len(data) % 2, b"\0"))
    places, nexts = [], []
    for tags in pages:
        page = _page(tags, order, big, head + len(out))
        places.append(head + len(out) + len(page.before))
        nexts.append(len(out) + len(page.before) + len(page.entries))
        out += page.before + page.entries + bytes(8 if big else 4)
    for at, following in zip(nexts, [*places[1:], last], strict=True):
        struct.pack_into(order + ("Q" if big else "I"), out, at, following)
    return _head(order, big, places[0] if places else last) + bytes(out)


def header(width: int, height: int, following: int = 0, tile: int | None = None) -> bytes:
    """A file that claims this size, has no pixels, and says where its next page is (8: itself)."""
    tags: dict[int, Value] = {code: value for code, value in plain(width, height).items() if code != LENGTHS}
    if tile is None:
        tags |= {LENGTHS: 4}
    else:
        tags = {code: value for code, value in tags.items() if code not in (PLACES, ROWS)}
        tags |= {TILE_WIDTH: tile, TILE_HEIGHT: tile, TILE_PLACES: 8, TILE_LENGTHS: 4}
    return build([tags], last=following)


class _Page:
    def __init__(self, before: bytes, entries: bytes) -> None:
        self.before, self.entries = before, entries


def _head(order: str, big: bool, first: int) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    return mark + (struct.pack(order + "HHHQ", 43, 8, 0, first) if big else struct.pack(order + "HI", 42, first))


def _page(tags: Tags, order: str, big: bool, at: int) -> _Page:
    """A page whose long values lie before it, from `at` on."""
    before, entries = bytearray(), bytearray()
    inline, place = (8, "Q") if big else (4, "I")
    for code, value in tags.items():
        kind, count, raw = _encoded(value, order, big)
        if len(raw) > inline:
            raw, before = struct.pack(order + place, at + len(before)), before + raw + bytes(len(raw) % 2)
        entries += struct.pack(order + "HH" + place, code, kind, count) + raw.ljust(inline, b"\0")
    return _Page(bytes(before), struct.pack(order + ("Q" if big else "H"), len(tags)) + bytes(entries))


def _encoded(value: Value, order: str, big: bool) -> tuple[int, int, bytes]:
    if isinstance(value, bytes):
        return ASCII, len(value), value
    if isinstance(value, int):
        return _encoded((value,), order, big)
    if value and value[0] == "raw":
        _, kind, count, number = value
        return kind, count, struct.pack(order + ("Q" if big else "I"), number)
    kind = LONG8 if any(number > 0xFFFFFFFF for number in value) else LONG  # type: ignore[operator]
    return kind, len(value), struct.pack(f"{order}{len(value)}{_FORMATS[kind]}", *value)
