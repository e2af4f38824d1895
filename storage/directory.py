"""A zip archive's central directory, read from its end by ranged requests and without looking at any member.

Written by hand, because `zipfile` gives up on the whole archive over one member with a bad name or a newer version,
doesn't compare the number of entries with what was promised, and needs five times the memory. Format: APPNOTE.TXT 6.3.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from storage.unreadable import Unreadable

Read = Callable[[int, int], bytes]
"""Bytes from a start on, so many of them."""

MAX_DIRECTORY = 256 << 20
BLOCK = 8 << 20
STORED, DEFLATED = 0, 8
HEADER = 30
"""Bytes of a member's local header before its name."""
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
_END = struct.Struct("<4s4HIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_TAIL = _END.size + FULL16 + _LOCATOR64.size + _END64.size


class Entry(NamedTuple):
    """One line of the directory, as it stands there; `offset` is that of its local header in the object."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory's bytes; `start` is where they lie in the object, `shift` what precedes the archive itself."""

    data: bytes
    start: int
    shift: int
    count: int

    def entries(self) -> Iterator[Entry]:
        """Read line by line; raises `ValueError` where a line is broken."""
        data, at, shift, found = self.data, 0, self.shift, 0
        while data[at : at + 4] == b"PK\1\2":
            try:
                _, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, _, _, _, offset = (
                    _ENTRY.unpack_from(data, at)
                )
            except struct.error:
                raise ValueError("ends within an entry") from None
            at += _ENTRY.size
            if FULL32 in (packed, size, offset):
                packed, size, offset = _wide(data[at + name : at + name + extra], packed, size, offset)
            yield Entry(data[at : at + name], flags, method, crc, packed, size, offset + shift)
            at += name + extra + comment
            found += 1
        if at > len(data) or (found - self.count) & FULL16 or (self.count > FULL16 and found != self.count):
            raise ValueError(f"should list {self.count} files and lists {found}")


def read_directory(read: Read, size: int, name: str) -> Directory:
    """Find and read the directory of an archive.

    Parameters
    ----------
    read
        Reads a range of the archive.
    size
        The archive's length in bytes.
    name
        What the archive is called in sentences.

    Raises
    ------
    Unreadable
        Not a zip archive, cut short, in several volumes, or with a directory beyond 256 MB.
    """
    end = _end(read, size, name)
    start = end.at - end.length
    if start < 0 or end.given > start:
        raise Unreadable("bad_input", f"{name} is cut short: its directory would begin before the file does")
    if start > end.given and (start - end.given) % (FULL32 + 1) == 0:
        raise Unreadable(
            "bad_input", f"{name} is larger than 4 GB but packed without ZIP64; pack it with another program"
        )
    if end.length > MAX_DIRECTORY:
        raise Unreadable("too_large", f"{name} has a directory of {end.length >> 20} MB; split the archive")
    inside = start - end.tail_start
    data = end.tail[inside : inside + end.length] if inside >= 0 else _blocks(read, start, end.length)
    return Directory(data, start, start - end.given, end.entries)


def is_short(read: Read, size: int, name: str) -> bool:
    """Whether the directory is no longer than the one read that finds it; parameters and errors as `read_directory`."""
    return _end(read, size, name).length <= _TAIL


class _End(NamedTuple):
    """What the end of an archive says of its directory: number of entries, length, given start and actual end."""

    tail: bytes
    tail_start: int
    entries: int
    length: int
    given: int
    at: int


def _end(read: Read, size: int, name: str) -> _End:
    tail_start = max(0, size - _TAIL)
    tail = read(tail_start, size - tail_start)
    at = _last_end(tail)
    if at < 0 or at + _END.size > len(tail):
        raise Unreadable("bad_input", _no_end(read(0, 4), name))
    return _End(tail, tail_start, *_ending(tail, at, tail_start, name))


def _last_end(tail: bytes) -> int:
    """Where the end is whose comment reaches to the end of the file; failing that the last, with something behind it.

    A comment may hold what looks like an end.
    """
    last = at = tail.rfind(b"PK\5\6")
    while at >= 0:
        comment = int.from_bytes(tail[at + _END.size - 2 : at + _END.size], "little")
        if at + _END.size + comment == len(tail):
            return at
        at = tail.rfind(b"PK\5\6", 0, at + 3)
    return last


def _no_end(head: bytes, name: str) -> str:
    if head[:2] == b"PK":
        return f"{name} is cut short: a zip archive has its directory at the end, and there is none"
    return f"{name} is not a zip archive"


def _ending(tail: bytes, at: int, tail_start: int, name: str) -> tuple[int, int, int, int]:
    """Number of entries, length, given start and actual end of the directory."""
    _, disk, first_disk, here, count, length, given, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    locator = at - _LOCATOR64.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7":
        _, disk, _, disks = _LOCATOR64.unpack_from(tail, locator)
        record = locator - _END64.size
        if record < 0 or tail[record : record + 4] != b"PK\6\6" or disks > 1:
            raise Unreadable("bad_input", f"{name} is one of several volumes, or its end is broken")
        _, _, _, _, disk, first_disk, here, count, length, given = _END64.unpack_from(tail, record)
        end = tail_start + record
    if disk or first_disk or here != count:
        raise Unreadable("bad_input", f"{name} is one of several volumes; join them into one zip archive")
    return count, length, given, end


def _blocks(read: Read, start: int, length: int) -> bytes:
    return b"".join(read(start + at, min(BLOCK, length - at)) for at in range(0, length, BLOCK))


def _wide(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The true values of those that need 64 bits; those that are lacking stay as they are."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            size = next(numbers, size) if size == FULL32 else size
            packed = next(numbers, packed) if packed == FULL32 else packed
            offset = next(numbers, offset) if offset == FULL32 else offset
            break
        at += 4 + length
    return packed, size, offset
