"""The claim: pixels that are either here, in this process, or in the bucket under a key.

Whoever asks never knows which. Values stay in memory while stages follow one another in one process; only when an
event is about to leave it are the claims it names stored.
"""

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from storage.objects import Store

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Lazy = Callable[[], Pixels]
_CRC_BYTES = 4


class Damaged(Exception):
    """What is stored under the key is not what was claimed; it has to be computed again."""


class Claims:
    """What one run of a chain holds. Dropping it drops the pixels."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, Pixels | Lazy | bytes] = {}

    def hold(self, key: str, value: Pixels | Lazy | bytes) -> None:
        """Keep a value under its key: an array, a way to make it when it is asked for, or a finished object."""
        self._held[key] = value

    def holds(self, key: str) -> bool:
        """Whether the value is here, in memory."""
        return key in self._held

    def take(self, key: str, shape: tuple[int, ...], dtype: str) -> Pixels:
        """The array under this key, from memory or from the bucket; raises `Damaged`, or `NotFound` of the store."""
        held = self._held.get(key)
        if held is not None and not isinstance(held, bytes):
            return held() if callable(held) else held
        return unpack(self._store.get(key), shape, dtype)

    def drop(self, key: str) -> None:
        """Let go of a value that nobody will ask for again in this run."""
        self._held.pop(key, None)

    def store(self, key: str, note: str = "") -> None:
        """Make durable what is held under this key, with a note; what is not held is in the bucket already."""
        held = self._held.get(key)
        if held is None:
            return
        data = held if isinstance(held, bytes) else pack(held() if callable(held) else held)
        self._store.put(key, data, note)
        self._held.pop(key, None)


def pack(pixels: Pixels) -> bytes:
    """An array as bytes with its checksum before them; shape and dtype travel in the event."""
    data = np.ascontiguousarray(pixels).tobytes()
    return zlib.crc32(data).to_bytes(_CRC_BYTES, "big") + data


def unpack(data: bytes, shape: tuple[int, ...], dtype: str) -> Pixels:
    """The inverse of `pack`; raises `Damaged`."""
    body = memoryview(data)[_CRC_BYTES:]
    expected = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if len(body) != expected or zlib.crc32(body) != int.from_bytes(data[:_CRC_BYTES], "big"):
        raise Damaged(f"{len(body)} bytes instead of {expected}, or a checksum that does not fit")
    return np.frombuffer(body, dtype).reshape(shape)
