"""An image's file as bytes, wherever it lies: a whole object or a member of an archive, in one ranged read."""

import hashlib
import re
import struct
import zlib
from typing import Protocol

from storage.codecs import inflate
from storage.directory import DEFLATED, FULL16, FULL32, HEADER
from storage.limits import MAX_FILE
from storage.objects import Store
from storage.unreadable import Unreadable

_LOCAL = struct.Struct("<4s5H3I2H")
_MD5 = re.compile(r"[0-9a-f]{32}")
_ENCRYPTED, _SIZES_FOLLOW = 1, 8


LARGEST_ARCHIVE = 1 << 50
"""Far beyond what any store takes as one object, and safely within what it takes as a range."""


class SourceLike(Protocol):
    """Where an image's file lies; a `span` of none stands for the whole object."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def etag(self) -> str: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def span(self) -> int | None: ...  # noqa: D102
    @property
    def packed(self) -> int | None: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def method(self) -> int: ...  # noqa: D102
    @property
    def crc(self) -> int | None: ...  # noqa: D102


def read_source(store: Store, source: SourceLike, name: str = "") -> bytes:
    """The bytes of an image's file, unpacked and verified.

    Parameters
    ----------
    store
        Where it lies.
    source
        The place; its etag is pinned.
    name
        What the image is called in sentences; its key if empty.

    Raises
    ------
    Unreadable
        `too_large`: more than 600 MB, told without reading; `bad_input`: what lies there is not what the directory
        promised (cut short, another header, wrong checksum).
    Changed
        The object was replaced.
    """
    name = name or source.key.rsplit("/", 1)[-1]
    if source.size > MAX_FILE:
        raise _too_large(name)
    packed, span = source.packed or 0, source.span or 0
    if min(source.offset, source.size, span, packed) < 0 or max(source.offset, span) > LARGEST_ARCHIVE:
        raise Unreadable("bad_input", f"{name} is said to lie where nothing can: at {source.offset} of its archive")
    if packed > most_packed(source.size):
        raise Unreadable("bad_input", f"{name} is said to be packed into {packed} bytes, and to have {source.size}")
    if source.span is None:
        return _whole(store, source, name)
    wanted = min(span, HEADER + 2 * FULL16 + packed)
    block = store.get(source.key, source.offset, wanted, source.etag)
    return _unpacked(_body(block, source, packed, name), source, name)


def most_packed(size: int) -> int:
    """The most bytes that a file of this size can honestly be packed into; all of them are read at once."""
    return size + size // 8 + FULL16


def _whole(store: Store, source: SourceLike, name: str) -> bytes:
    data = verified(store, source.key, source.etag, MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise _too_large(name)
    if source.size and len(data) != source.size:
        raise Unreadable("bad_input", f"{name} has {len(data)} bytes where {source.size} were announced")
    return data


def verified(store: Store, key: str, etag: str, length: int) -> bytes:
    """A whole object of up to `length` bytes.

    It has no checksum but its etag: on most stores the MD5 of what was put in one piece.
    On others two readings that agree are believed.
    """
    seen = b""
    while True:
        data = store.get(key, 0, length, etag)
        digest = hashlib.md5(data, usedforsecurity=False)
        if digest.digest() == seen or digest.hexdigest() == etag or not _MD5.fullmatch(etag):
            return data
        seen = digest.digest()


def _body(block: bytes, source: SourceLike, packed: int, name: str) -> memoryview:
    """The packed bytes behind a local header that agrees with the directory."""
    if len(block) < HEADER:
        raise Unreadable("bad_input", f"{name} is cut short: the archive ends before it")
    mark, _, flags, method, _, _, crc, short_packed, short_size, name_length, extra = _LOCAL.unpack_from(block)
    agrees = mark == b"PK\3\4" and method == source.method and not flags & _ENCRYPTED
    if agrees and not flags & _SIZES_FOLLOW:
        agrees = crc == source.crc and short_packed in (packed, FULL32) and short_size in (source.size, FULL32)
    if not agrees:
        raise Unreadable("bad_input", f"{name} is not where the archive's directory says, or not as it says")
    start = HEADER + name_length + extra
    if start + packed > len(block):
        raise Unreadable(
            "bad_input", f"{name} is cut short: {packed} bytes were promised, {len(block) - start} are there"
        )
    return memoryview(block)[start : start + packed]


def _unpacked(body: memoryview, source: SourceLike, name: str) -> bytes:
    data = _inflated(body, source.size, name) if source.method == DEFLATED else bytes(body)
    if len(data) != source.size:
        raise Unreadable("bad_input", f"{name} does not unpack to the {source.size} bytes that were promised")
    if zlib.crc32(data) != source.crc:
        raise Unreadable("bad_input", f"{name} is damaged: its checksum does not fit")
    return data


def _inflated(body: memoryview, size: int, name: str) -> bytes:
    try:
        return inflate(body, size)
    except ValueError as error:
        raise Unreadable("bad_input", f"{name} is damaged: it does not unpack ({error})") from None


def _too_large(name: str) -> Unreadable:
    return Unreadable("too_large", f"{name} has more than {MAX_FILE / 1e6:.0f} MB, the most that is read as one image")
