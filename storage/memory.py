"""A bucket in memory: for tests, notebooks and trials. Same contract as a server, gone with the process.

It is as strict as a server that keeps objects as files: a key can't be both an object and a folder.
"""

import builtins
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from urllib.parse import parse_qs, quote, unquote, urlsplit

from storage.objects import Changed, NotFound, Part, Stat, StoreError

SCHEME = "memory:"


class MemoryStore:
    """Objects in a dictionary; safe from any thread."""

    def __init__(self, bucket: str = "memory") -> None:
        self.bucket = bucket
        self._lock = threading.RLock()
        self._objects: dict[str, tuple[bytes, Stat]] = {}
        self._below: Counter[str] = Counter()
        self._uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self._ids = count(1)

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        """Bytes `start` to `start + length` (fewer at the end of the object), if the etag still fits."""
        data, stat = self._found(key)
        if etag and etag != stat.etag:
            raise Changed(f"{key} was replaced: its etag is {stat.etag}, not {etag}")
        return data[start : None if length is None else start + length]

    def stat(self, key: str) -> Stat:
        """Size, etag and note, without the bytes."""
        return self._found(key)[1]

    def put(self, key: str, data: bytes, note: str = "") -> str:
        """Store the whole object, with a note beside it; returns its etag."""
        return self._store(key, bytes(data), _digest(data), note)

    def list(self, prefix: str) -> Iterator[Stat]:
        """Every object whose key begins with `prefix`, in the order of keys."""
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        for key in found:
            held = self._objects.get(key)
            if held:
                yield replace(held[1], note="")

    def folders(self, prefix: str) -> Iterator[str]:
        """The names directly below a prefix that ends with a slash, where they have objects below them."""
        with self._lock:
            rests = [key[len(prefix) :] for key in self._objects if key.startswith(prefix)]
        yield from sorted({rest.split("/")[0] for rest in rests if "/" in rest})

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; a missing one is no error."""
        for key in keys:
            with self._lock:
                if self._objects.pop(key, None):
                    self._below.subtract(_parents(key))

    def start_upload(self, key: str) -> str:
        """Begin a multipart upload; returns its id."""
        with self._lock:
            upload = f"upload-{next(self._ids)}"
            self._uploads[upload] = (key, {})
        return upload

    def part_url(self, key: str, upload: str, number: int, seconds: int = 3600) -> str:
        """An address for `put_part`; it works in this process only."""
        return f"{SCHEME}{quote(key)}?upload={upload}&number={number}"

    def put_part(self, url: str, data: bytes) -> str:
        """What a PUT to the address from `part_url` would do; returns the part's etag."""
        address = urlsplit(url)
        query = parse_qs(address.query)
        return self.store_part(unquote(address.path), query["upload"][0], int(query["number"][0]), data)

    def store_part(self, key: str, upload: str, number: int, data: bytes) -> str:
        """Store one part; returns its etag."""
        with self._lock:
            self._upload(upload)[1][number] = bytes(data)
        return _digest(data)

    def parts(self, key: str, upload: str) -> builtins.list[Part]:
        """The parts stored so far, in order: what a resumed upload may skip."""
        with self._lock:
            stored = sorted(self._upload(upload)[1].items())
        return [Part(number, _digest(data)) for number, data in stored]

    def finish_upload(self, key: str, upload: str, parts: Sequence[Part]) -> str:
        """Make the parts one object; returns its etag. Finishing twice raises `NotFound`."""
        with self._lock:
            stored = self._upload(upload)[1]
            wanted = [stored.get(part.number) for part in parts]
            for part, data in zip(parts, wanted, strict=True):
                if data is None or _digest(data) != part.etag:
                    raise StoreError(f"{key}: part {part.number} is not stored, or not as {part.etag}")
            whole = b"".join(data for data in wanted if data is not None)
            etag = self._store(key, whole, f"{_digest(whole)}-{len(parts)}")
            del self._uploads[upload]
        return etag

    def abort_upload(self, key: str, upload: str) -> None:
        """Forget a multipart upload and its parts; an unknown one is no error."""
        with self._lock:
            self._uploads.pop(upload, None)

    def _found(self, key: str) -> tuple[bytes, Stat]:
        held = self._objects.get(key)
        if held is None:
            raise NotFound(f"{key} is not there")
        return held

    def _upload(self, upload: str) -> tuple[str, dict[int, bytes]]:
        if upload not in self._uploads:
            raise NotFound(f"there is no upload {upload}")
        return self._uploads[upload]

    def _store(self, key: str, data: bytes, etag: str, note: str = "") -> str:
        with self._lock:
            if key not in self._objects:
                self._make_room(key)
            self._objects[key] = (data, Stat(key, len(data), etag, time.time(), note))
        return etag

    def _make_room(self, key: str) -> None:
        parents = _parents(key)
        blocked = next((parent for parent in parents if parent in self._objects), None)
        if blocked or self._below[key]:
            raise StoreError(f"{key} can't be stored: {blocked or key} would be an object and a folder")
        self._below.update(parents)


def _parents(key: str) -> list[str]:
    """`a` and `a/b` for `a/b/c`."""
    pieces = key.split("/")
    return ["/".join(pieces[:depth]) for depth in range(1, len(pieces))]


def _digest(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
