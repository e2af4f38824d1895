"""How fast a consumer group's events come and are finished, from one look at its offsets to the next."""

from collections import deque
from collections.abc import Mapping
from itertools import starmap
from typing import NamedTuple

from streams.kafka import Place, Position

WINDOW_SECONDS = 30.0
"""Rates are means over so long: a rebalance, in which commits stand still and then jump, takes at most half of it."""
Positions = Mapping[Place, Position]


class _Sample(NamedTuple):
    """Sums since the first look at a group."""

    at: float
    arrived: int = 0
    served: int = 0
    loaded: float = 0.0
    """Seconds at whose begin and end events were waiting."""
    loaded_served: int = 0

    def then(self, now: float, before: Positions, positions: Positions) -> "_Sample":
        """The sums after the next look."""
        steps = [(_then(before, place, each), each) for place, each in positions.items()]
        served, loaded = sum(starmap(_served, steps)), bool(_lag(before) and _lag(positions))
        return _Sample(
            now,
            self.arrived + sum(starmap(_arrived, steps)),
            self.served + served,
            self.loaded + loaded * (now - self.at),
            self.loaded_served + loaded * served,
        )


class Flow:
    """What comes to one group and what it serves, from one look to the next.

    The seconds per event, with which a lag becomes seconds, are those of the window while events were waiting: an idle
    group's rate is that of its arrivals, and tells nothing. What was last seen holds until something is served again.
    """

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._samples: deque[_Sample] = deque()
        self._positions: Positions = {}
        self._seconds_per_event: float | None = None

    def see(self, now: float, positions: Positions) -> None:
        """Take a look at `now`, in seconds of any clock that never stands still."""
        before, self._positions = self._positions, positions
        last = self._samples[-1] if self._samples else None
        self._samples.append(last.then(now, before, positions) if last else _Sample(now))
        while self._samples[0].at < now - self._window:
            self._samples.popleft()
        if last and self._samples[-1].served > last.served:
            self._learn()

    @property
    def lag(self) -> int:
        """Events that are not finished."""
        return _lag(self._positions)

    @property
    def arrival(self) -> float | None:
        """Events a second that come; none before the second look."""
        return self._rate("arrived")

    @property
    def service(self) -> float | None:
        """Events a second that are finished; none before the second look."""
        return self._rate("served")

    @property
    def backlog(self) -> float | None:
        """Seconds until all that waits is finished; none where nothing was ever seen to be."""
        if not self.lag:
            return 0.0
        if self._seconds_per_event is not None:
            return self.lag * self._seconds_per_event
        return self.lag / self.service if self.service else None

    def _learn(self) -> None:
        first, last = self._samples[0], self._samples[-1]
        if served := last.loaded_served - first.loaded_served:
            self._seconds_per_event = (last.loaded - first.loaded) / served

    def _rate(self, of: str) -> float | None:
        first, last = self._samples[0], self._samples[-1]
        seconds = last.at - first.at
        return (getattr(last, of) - getattr(first, of)) / seconds if seconds else None


def _lag(positions: Positions) -> int:
    return sum(each.lag for each in positions.values())


def _then(before: Positions, place: Place, now: Position) -> Position:
    """Where a partition stood at the look before; a new one stood at its begin."""
    return before.get(place, Position(now.begin, now.begin, None))


def _arrived(then: Position, now: Position) -> int:
    return max(0, now.end - then.end)


def _served(then: Position, now: Position) -> int:
    """What was committed meanwhile; not what went from the log unread, and nothing where a group was set back."""
    return max(0, now.next - max(then.next, now.begin))
