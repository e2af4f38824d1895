"""Zip archives in which every field of every structure can lie. Format: APPNOTE.TXT 6.3."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
UTF8, ENCRYPTED, SIZES_FOLLOW = 1 << 11, 1, 1 << 3


@dataclass(slots=True)
class Part:
    """A member: its bytes as they lie there, and what its two headers say; none stands for the truth."""

    name: bytes
    body: bytes
    size: int | None = None
    packed: int | None = None
    crc: int | None = None
    method: int = 0
    flags: int = 0
    offset: int | None = None
    extra: bytes = b""
    mode: int = 0
    local: dict[str, int | bytes] = field(default_factory=dict)
    """Where the local header says something else: flags, method, crc, packed, size, name."""
    behind: bytes = b""
    """What follows the packed bytes."""


@dataclass(slots=True)
class End:
    """What the end of the directory says; none stands for the truth."""

    count: int | None = None
    length: int | None = None
    start: int | None = None
    disk: int = 0
    comment: bytes = b""
    between: bytes = b""
    """What lies between directory and end."""


def deflated(data: bytes) -> bytes:
    """A raw deflate stream."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(data) + packer.flush()


def zeros(megabytes: int) -> bytes:
    """A raw deflate stream of so many MB (2**20 bytes) of zeros, made without packing them all."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * megabytes + b"\3\0"


def zeros_of_zlib(megabytes: int) -> bytes:
    """The same with the header and the checksum of zlib."""
    return b"\x78\xda" + zeros(megabytes) + struct.pack(">HH", (megabytes << 20) % 65_521, 1)


def pack(name: str, data: bytes, **fields: object) -> Part:
    """A deflated member."""
    return Part(name.encode(), deflated(data), len(data), crc=zlib.crc32(data), method=8, **fields)  # type: ignore[arg-type]


def store(name: str | bytes, data: bytes, **fields: object) -> Part:
    """A stored member."""
    return Part(name if isinstance(name, bytes) else name.encode(), data, **fields)  # type: ignore[arg-type]


def write(parts: Sequence[Part], end: End | None = None, prefix: bytes = b"") -> bytes:
    """The archive; offsets count from behind the prefix, as where a program was put before a finished archive."""
    bodies, directory = bytearray(), bytearray()
    for part in parts:
        here = len(bodies) if part.offset is None else part.offset
        bodies += _local(part) + part.body + part.behind
        directory += _central(part, here)
    return prefix + bytes(bodies + directory) + _end(end or End(), len(parts), len(directory), len(bodies))


def _truth(part: Part) -> dict[str, int]:
    size = len(part.body) if part.size is None else part.size
    packed = len(part.body) if part.packed is None else part.packed
    crc = zlib.crc32(part.body) if part.crc is None else part.crc
    return {"flags": part.flags, "method": part.method, "crc": crc, "packed": packed, "size": size}


def _local(part: Part) -> bytes:
    said: dict[str, int | bytes] = {"name": part.name, **_truth(part), **part.local}
    name = bytes(said["name"])
    numbers = struct.pack("<HHHHHIII", 20, *(said[key] for key in ("flags", "method")), 0, 33, *_sizes(said))
    return b"PK\3\4" + numbers + struct.pack("<HH", len(name), 0) + name


def _sizes(said: dict[str, int | bytes]) -> tuple[int | bytes, ...]:
    return tuple(said[key] for key in ("crc", "packed", "size"))


def _central(part: Part, offset: int) -> bytes:
    said = _truth(part)
    numbers = struct.pack(
        "<HHHHHHIII", 20 | 3 << 8, 20, said["flags"], said["method"], 0, 33, said["crc"], said["packed"], said["size"]
    )
    lengths = struct.pack("<5H2I", len(part.name), len(part.extra), 0, 0, 0, part.mode << 16, offset)
    return b"PK\1\2" + numbers + lengths + part.name + part.extra


def _end(end: End, count: int, length: int, start: int) -> bytes:
    count = count if end.count is None else end.count
    length = length if end.length is None else end.length
    start = start if end.start is None else end.start
    fixed = struct.pack("<4HIIH", end.disk, 0, count, count, length, start, len(end.comment))
    return end.between + b"PK\5\6" + fixed + end.comment


def end64(count: int, length: int, start: int, at: int, disks: int = 1, locator: int | None = None) -> bytes:
    """The 64-bit end of a directory and its locator, for `End.between`; `at` is where it lies."""
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start)
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, at if locator is None else locator, disks)


def wide(*numbers: int) -> bytes:
    """An extra field with 64-bit numbers."""
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
