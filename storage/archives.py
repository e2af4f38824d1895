"""The images in a zip archive: where each lies, and which can't be taken, told from the directory alone."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from storage.directory import DEFLATED, STORED, Directory, Entry, Read, is_short, read_directory
from storage.keys import MAX_NAME
from storage.limits import MAX_FILE
from storage.objects import Store
from storage.sources import most_packed, verified
from storage.sources import read_source as read_source
from storage.spans import Numbers, spans
from storage.unreadable import Reason, Unreadable

AT_ONCE = 1 << 20
"""Bytes of a small object: one request takes less time than several, however few bytes those ask for."""
BOMB_RATIO, BOMB_SIZE = 200, 100_000_000
NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".7z", ".rar")
_SKIPPED = re.compile(r"/\Z|(^|/)(\.(?!\.?(/|\Z))|__MACOSX/|(Thumbs\.db|desktop\.ini)\Z)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What breaks lines, speaks to a terminal, or turns the order of letters round."""


class Member(NamedTuple):
    """One file of an archive, and all that is needed to read it from the archive's object.

    Attributes
    ----------
    name
        Its path, with slashes.
    offset
        Where its local header begins in the object.
    span
        Bytes from there up to whatever follows: the next header, or the directory.
    packed, size
        Bytes in the archive, and of the file itself.
    method
        0 stored, 8 deflated.
    crc
        CRC-32 of the file.
    problem
        A sentence saying why it can't be read; empty when it can.
    reason
        Whose fault that is.
    """

    name: str
    offset: int
    span: int
    packed: int
    size: int
    method: int
    crc: int
    problem: str = ""
    reason: Reason = "bad_input"


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with these bytes is meant as a zip archive, whatever its name."""
    return head[:4] in (b"PK\3\4", b"PK\5\6", b"PK\7\x08", b"PK00")


def ranges(store: Store, key: str, etag: str, size: int) -> Read:
    """Reads an object's ranges, a small object's from memory, where its etag mostly is a checksum that proves them.

    A read of a replaced one raises `Changed`.
    """
    if size > AT_ONCE:
        return lambda start, length: store.get(key, start, length, etag)
    whole = verified(store, key, etag, size) if size else b""
    return lambda start, length: whole[start : start + length]


def is_listed_soon(read: Read, size: int, name: str) -> bool:
    """Whether listing takes milliseconds: an archive of some hundred files, or what is none."""
    try:
        return is_short(read, size, name)
    except Unreadable:
        return True


def list_members(read: Read, size: int, name: str) -> Iterator[Member]:
    """The files of an archive in the order of its directory, without folders and what operating systems leave behind.

    Parameters
    ----------
    read, size, name
        See `read_directory`.

    Returns
    -------
    iterator of Member
        Made one by one, so that an archive of a million images costs little memory. All errors of the archive as a
        whole are raised before.

    Raises
    ------
    Unreadable
        With a sentence: not a zip archive, cut short, broken, in several volumes, or without a single file.
    """
    directory = read_directory(read, size, name)
    try:
        lengths = spans(directory)
        files = any(not _skipped(_decoded(entry)) for entry in directory.entries())
    except ValueError as error:
        raise Unreadable("bad_input", f"the directory of {name} is broken: it {error}") from None
    if not files:
        raise Unreadable("bad_input", f"{name} is an archive without images")
    return _members(directory, lengths)


def _members(directory: Directory, lengths: Numbers) -> Iterator[Member]:
    for entry, length in zip(directory.entries(), lengths, strict=True):
        name = _decoded(entry)
        if not _skipped(name):
            span = int(length)
            problem, reason = _problem(entry, name, span)
            name = name[:MAX_NAME]
            yield Member(name, entry.offset, span, entry.packed, entry.size, entry.method, entry.crc, problem, reason)


def _decoded(entry: Entry) -> str:
    """Names are UTF-8 where flagged, and on a Mac also where not; otherwise the code page of DOS. With slashes."""
    if entry.name.isascii():
        name = entry.name.decode()
    else:
        try:
            name = entry.name.decode()
        except UnicodeDecodeError:
            name = entry.name.decode("cp437")
    return name.replace("\\", "/")


def _skipped(name: str) -> bool:
    """Folders, hidden files, and what operating systems leave behind."""
    return _SKIPPED.search(name) is not None


def _problem(entry: Entry, name: str, span: int) -> tuple[str, Reason]:
    """Why a member can't be read, as a sentence, and whose fault it is."""
    if _outside(name):
        return f"{name[:MAX_NAME]!r} is not the name of a file inside an archive", "bad_input"
    if entry.flags & 1:
        return f"{name} is encrypted; pack it without a password", "unsupported"
    if name.lower().endswith(NESTED):
        return f"{name} is an archive inside the archive; unpack it first", "unsupported"
    if entry.method not in (STORED, DEFLATED):
        return f"{name} is packed with method {entry.method}; stored and deflated files are read", "unsupported"
    if not span:
        return f"{name} overlaps with another part of the archive", "bad_input"
    if not entry.size:
        return f"{name} is empty", "bad_input"
    if entry.packed > most_packed(entry.size):
        return f"{name} claims to be packed into {entry.packed} bytes, and to have {entry.size}", "bad_input"
    if entry.size > BOMB_SIZE and entry.size > BOMB_RATIO * entry.packed:
        return f"{name} claims to unpack to {entry.size / max(entry.packed, 1):.0f} times its packed size", "bad_input"
    if entry.size > MAX_FILE:
        return f"{name} has {entry.size / 1e6:.0f} MB; up to {MAX_FILE / 1e6:.0f} MB are read", "too_large"
    return "", "bad_input"


def _outside(name: str) -> bool:
    """Names that lead out of the archive, or that nobody can type."""
    if not name or len(name) > MAX_NAME or _CONTROL.search(name):
        return True
    return name[0] == "/" or name[1:2] == ":" or ".." in name.split("/")
