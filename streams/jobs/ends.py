"""What has ended already: asked for every event that was announced before, so remembered for some seconds.

A large upload that is announced twice makes as many events again as it has images; each would be asked for by itself,
announced as ended once more, and ticked off once more.
"""

import time
from collections.abc import Callable, Mapping

from storage import keys
from storage.objects import Store
from streams.events import ImageEnded, ImageEvent, Outcome
from streams.jobs import ledger
from streams.jobs.remembered import Remembered
from streams.jobs.tally import RoundTallies

KEPT = 1000
"""Shards of 1,000 images remembered at most, and tallies."""
Shard = tuple[str, int, int]
"""A job, its shard and a round."""


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
        self._shards: Remembered[Shard, Mapping[int, Outcome]] = Remembered(self._list, KEPT, now)
        self._tallies: Remembered[str, RoundTallies] = Remembered(self._tally, KEPT, now)

    def answer(self, event: ImageEvent) -> list[ImageEnded] | None:
        """What answers an event whose image has ended: nothing where that is counted, else its end; none in flight."""
        outcome = self._shards[event.job, event.image // keys.SHARD, event.round].get(event.image)
        if outcome and self._tallies[event.job].holds(event.image, outcome == "labelled", event.round):
            return []
        known = ledger.ended(self._store, event)
        return [known] if known else None

    def _list(self, of: Shard) -> Mapping[int, Outcome]:
        return ledger.ended_in(self._store, *of)

    def _tally(self, job: str) -> RoundTallies:
        return ledger.read_tallies(self._store, job)
