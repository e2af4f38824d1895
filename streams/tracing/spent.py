"""Where a run's time goes: each stretch of it with its phase, its begin and its end."""

import time
from collections.abc import ItemsView, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from streams.runs import MOST_STRETCHES, Run, Step, Stretch

NO_WAIT = 100_000
"""Nanoseconds: who waited no longer has not waited, and no event need tell of it."""


class Interval(NamedTuple):
    """A stretch of time, in nanoseconds since 1970."""

    phase: str
    begun: int
    ended: int


class Taken(NamedTuple):
    """What a traced run is of: a record that was sent then (seconds since 1970), taken by a chain of this worker."""

    chain: str
    by: str
    sent: float


class Spent:
    """The time of one run by phase: wait, look, fetch, decode, plan, take, model, post, store, pause, announce.

    Tiles may overlap.

    Parameters
    ----------
    taken
        What it is a run of, where that is traced.
    """

    def __init__(self, taken: Taken | None = None) -> None:
        self.intervals: list[Interval] = []
        """In the order of their ends."""
        self.finer: list[Interval] = []
        """Within phases, and not counted with them: of each tile that goes to its model slot, queue, compute."""
        self.taken = taken
        self.attempt = 0
        self.image = ""
        """The name of the image it is about."""
        self.tile: int | None = None
        self.earlier: tuple[Run, ...] = ()
        """The runs that led to this one."""
        self.made: set[str] = set()
        """The keys of the ends that it made."""
        self._steps: list[tuple[str, int, int, int]] = []
        self._epoch = time.time_ns() - time.perf_counter_ns()  # so that a clock that is set can't turn time back
        self.begun = self.now()

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
        begun = self.now()
        try:
            yield
        finally:
            self.intervals.append(Interval(phase, begun, self.now()))

    @contextmanager
    def step(self, stage: str) -> Iterator[None]:
        """A stage is at work until the block ends."""
        begun = self.now()
        try:
            yield
        finally:
            self._steps.append((stage, self.attempt, begun, self.now()))

    def since(self, begun: int, phase: str = "wait") -> None:
        """Count the time from then to now to a phase."""
        self.intervals.append(Interval(phase, begun, self.now()))

    def told(self, asked: int | None = None, /, **seconds: float) -> None:
        """What another process tells of its phases: one followed the other, and the last has just ended.

        It was asked then, and what lies between was spent waiting for it.
        """
        begun = self.now() - round(sum(seconds.values()) * 1e9)
        if asked is not None and asked < begun:
            self.intervals.append(Interval("wait", asked, begun))
        for phase, lasted in seconds.items():
            ended = begun + round(lasted * 1e9)
            self.intervals.append(Interval(phase, begun, ended))
            begun = ended

    def runs(self) -> tuple[Run, ...] | None:
        """The runs up to here, this one as far as it is; none where it isn't traced."""
        if self.taken is None:
            return None
        sent = round(self.taken.sent * 1e6)
        this = Run.model_construct(
            chain=self.taken.chain,
            by=self.taken.by,
            image=self.image,
            tile=self.tile,
            sent=sent,
            begun=self.begun // 1000 - sent,
            steps=tuple(
                Step(stage, attempt, begun // 1000 - sent, (ended - begun) // 1000)
                for stage, attempt, begun, ended in self._steps
            ),
            phases=_stretches(self.intervals, sent),
            finer=_stretches(self.finer, sent),
        )
        return (*self.earlier, this)

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._epoch + time.perf_counter_ns()


def _stretches(intervals: Sequence[Interval], sent: int) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(phase, begun // 1000 - sent, (ended - begun) // 1000)
        for phase, begun, ended in intervals[:MOST_STRETCHES]
        if phase != "wait" or ended - begun > NO_WAIT
    )
