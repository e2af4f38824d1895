"""Where a run's time goes: each stretch of it with its phase, its begin and its end."""

import time
from collections.abc import ItemsView, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Interval(NamedTuple):
    """A stretch of time, in nanoseconds since 1970."""

    phase: str
    begun: int
    ended: int


class Spent:
    """The time of one run by phase: wait, fetch, decode, plan, model, post, store, announce. Tiles may overlap."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []
        """In the order of their ends."""
        self._epoch = time.time_ns() - time.perf_counter_ns()  # so that a clock that is set can't turn time back

    def __getitem__(self, phase: str) -> float:
        return dict(self.items()).get(phase, 0.0)

    def items(self) -> ItemsView[str, float]:
        """Each phase that there was, and its seconds in all."""
        seconds: dict[str, float] = {}
        for phase, begun, ended in self.intervals:
            seconds[phase] = seconds.get(phase, 0.0) + (ended - begun) / 1e9
        return seconds.items()

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Count the time until the block ends to a phase."""
        begun = self._now()
        try:
            yield
        finally:
            self.intervals.append(Interval(phase, begun, self._now()))

    def told(self, **seconds: float) -> None:
        """What another process tells of its phases: one followed the other, and the last has just ended."""
        begun = self._now() - round(sum(seconds.values()) * 1e9)
        for phase, lasted in seconds.items():
            ended = begun + round(lasted * 1e9)
            self.intervals.append(Interval(phase, begun, ended))
            begun = ended

    def _now(self) -> int:
        return self._epoch + time.perf_counter_ns()
