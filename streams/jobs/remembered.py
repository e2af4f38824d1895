"""What was read not long ago need not be read again: the bucket is asked for every event, and answers for seconds."""

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")
V = TypeVar("V")
BELIEVED_SECONDS = 5.0


class _Read(NamedTuple, Generic[V]):
    until: float
    what: V


class Remembered(Generic[K, V]):
    """Reads what it is asked for, and believes it for some seconds; may be asked in any thread.

    Parameters
    ----------
    read
        Reads anew; what it raises is raised.
    kept
        So many are remembered at most.
    now
        A clock in seconds, of which only differences count.
    """

    def __init__(self, read: Callable[[K], V], kept: int, now: Callable[[], float] = time.monotonic) -> None:
        self._read, self._kept, self._now = read, kept, now
        self._known: dict[K, _Read[V]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, key: K) -> V:
        with self._lock:
            known = self._known.get(key)
        if known is None or self._now() >= known.until:
            known = _Read(self._now() + BELIEVED_SECONDS, self._read(key))
            self._keep(key, known)
        return known.what

    def _keep(self, key: K, known: _Read[V]) -> None:
        with self._lock:
            self._known.pop(key, None)
            while len(self._known) >= self._kept:
                self._known.pop(next(iter(self._known)))
            self._known[key] = known
