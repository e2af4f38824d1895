"""What has ended already: asked for every event that was announced before, so remembered for some seconds.

A large upload that is announced twice makes as many events again as it has images; each would be asked for by itself,
announced as ended once more, and ticked off once more.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from storage import keys
from storage.objects import Store
from streams import ledger
from streams.events import ImageEnded, ImageEvent, Outcome
from streams.tally import RoundTallies

K = TypeVar("K")
V = TypeVar("V")
BELIEVED_SECONDS = 5.0
KEPT = 1000
"""Shards of 1,000 images remembered at most, and tallies."""


class _Read(NamedTuple, Generic[V]):
    until: float
    what: V


class _Remembered(Generic[K, V]):
    """What was read not long ago, by what it is of."""

    def __init__(self, read: Callable[[K], V], now: Callable[[], float]) -> None:
        self._read, self._now = read, now
        self._known: dict[K, _Read[V]] = {}
        self._lock = threading.Lock()

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
            while len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = known


class Ends:
    """The ends of images, as the bucket says.

    Parameters
    ----------
    store
        Where outcomes and tallies lie.
    now
        A clock in seconds, of which only differences count.
    """

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._shards: _Remembered[tuple[str, int, int], Mapping[int, Outcome]] = _Remembered(self._list, now)
        self._tallies: _Remembered[str, RoundTallies] = _Remembered(self._tally, now)

    def answer(self, event: ImageEvent) -> list[ImageEnded] | None:
        """What answers an event whose image has ended: nothing where that is counted, else its end; none in flight."""
        outcome = self._shards[event.job, event.image // keys.SHARD, event.round].get(event.image)
        if outcome and self._tallies[event.job].holds(event.image, outcome == "labelled", event.round):
            return []
        known = ledger.ended(self._store, event)
        return [known] if known else None

    def _list(self, of: tuple[str, int, int]) -> Mapping[int, Outcome]:
        return ledger.ended_in(self._store, *of)

    def _tally(self, job: str) -> RoundTallies:
        return ledger.read_tallies(self._store, job)
