"""Stored zips that come into being while they are read: zipstream-ng's only home."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from zipstream import ZipStream  # type: ignore[import-untyped]  # the package has no types

PIECE = 64 * 1024
Member = tuple[str, bytes | Iterable[bytes]]
"""A name, and what is stored under it."""
File = tuple[Path, str]
"""A file, and its name in the zip."""


def members_as_zip(members: Iterable[Member]) -> Iterator[bytes]:
    """A zip of members that are made one after the other, each when the one before has gone."""
    yield from _gathered(_pieces(members))


def files_as_zip(files: Iterable[File]) -> Iterator[bytes]:
    """A zip of files: the same files give the same bytes.

    Raises
    ------
    RuntimeError
        A file has no longer the size it had.
    """
    yield from _sized(files)


def zip_size(files: Iterable[File]) -> int:
    """Bytes that `files_as_zip` gives."""
    return len(_sized(files))


def _sized(files: Iterable[File]) -> ZipStream:
    archive = ZipStream(sized=True)
    for path, name in files:
        archive.add_path(str(path), name, recurse=False)
    return archive


def _pieces(members: Iterable[Member]) -> Iterator[bytes]:
    archive = ZipStream()
    for name, data in members:
        archive.add(data, name)
        yield from archive.file()
    yield from archive.footer()


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: each costs a server a change of threads."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held.clear()
            size = 0
    yield b"".join(held)
