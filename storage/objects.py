"""What the rest of the house asks of an object store, and how it can refuse.

StoreError
├── NotFound       the key holds nothing
├── Changed        the object is no longer the one that was asked for (its etag differs)
└── Unavailable    the store can't be reached, or has no room: try again
    ├── Full           it has no room
    └── Unfinished     it is still putting an upload together
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class StoreError(Exception):
    """Anything the store refuses."""


class NotFound(StoreError):
    """The key holds nothing."""


class Changed(StoreError):
    """The object was replaced: its etag is not the pinned one."""


class Unavailable(StoreError):
    """The store can't be reached or can't take more: nobody's fault, try again."""


class Full(Unavailable):
    """The store has no room left: somebody has to make some."""


class Unfinished(Unavailable):
    """The store is still putting the parts of an upload together: that takes longer the more there are."""


@dataclass(frozen=True, slots=True)
class Stat:
    """An object as a listing shows it: `size` in bytes, `etag` without quotes, `modified` in seconds since 1970."""

    key: str
    size: int
    etag: str
    modified: float
    note: str = ""
    """What was kept beside the bytes; a listing doesn't show it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One stored part of a multipart upload; `number` counts from 1."""

    number: int
    etag: str


class Store(Protocol):
    """One bucket. Every call blocks, is safe from any thread, and raises only `StoreError`s."""

    bucket: str
    """The bucket's name; part of what makes a job this job."""

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        """Bytes `start` to `start + length` (fewer at the end of the object), if the etag still fits."""

    def stat(self, key: str) -> Stat:
        """Size, etag and note, without the bytes."""

    def put(self, key: str, data: bytes, note: str = "") -> str:
        """Store the whole object atomically and durably; returns its etag.

        A note, some ASCII of up to 2 KB, is kept beside the bytes and told by `stat`.
        """

    def list(self, prefix: str) -> Iterator[Stat]:
        """Every object whose key begins with `prefix`, in the order of keys."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The names directly below a prefix that ends with a slash, where they have objects below them."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; a missing one is no error."""

    def start_upload(self, key: str) -> str:
        """Begin a multipart upload; returns its id."""

    def part_url(self, key: str, upload: str, number: int, seconds: int = 3600) -> str:
        """An address to PUT one part to, without any key, for so many seconds."""

    def store_part(self, key: str, upload: str, number: int, data: bytes) -> str:
        """Store one part, for whoever can't reach its address; returns its etag."""

    def parts(self, key: str, upload: str) -> Sequence[Part]:
        """The parts stored so far, in order: what a resumed upload may skip."""

    def finish_upload(self, key: str, upload: str, parts: Sequence[Part]) -> str:
        """Make the parts one object, which is there then; returns its etag.

        Finishing twice returns the same etag, or raises `NotFound`; while the store is at it, `Unfinished`.
        """

    def abort_upload(self, key: str, upload: str) -> None:
        """Forget a multipart upload and its parts; an unknown one is no error."""
