"""The commit position: only what is finished without a gap before it (rule 16).

Faust 0.15.3 commits past events that were never acknowledged (upstream issue 606), so its own book-keeping is not used.
With the position goes how far events were begun: whoever takes over after a death knows what was in flight (rule 21).
"""

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

TP = TypeVar("TP")
"""A topic's partition, in whatever form the client library has."""


class Order(enum.Enum):
    """How an event stands to the ones before it."""

    NEXT = "next"
    AGAIN = "again"
    """Delivered twice within one assignment: the first delivery is still good."""
    GAP = "gap"
    """Something before it was never delivered."""


class Past(enum.Enum):
    """What may have become of an event before it came to us."""

    NONE = "none"
    BEGUN = "begun"
    """Somebody began it, and let go of it in good order: it may have an outcome."""
    SUSPECT = "suspect"
    """Somebody began it, and never said how that ended: perhaps the event killed the worker."""


@dataclass(slots=True)
class Entry:
    """One event taken on and not yet committed."""

    offset: int
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What is committed of a partition: where to go on, and up to which offsets (exclusive) what is known."""

    offset: int
    begun: int
    """Events before it may have been begun."""
    suspects: int
    """Events before it were in flight where somebody may have died."""


class Tracker(Generic[TP]):
    """Per partition: entries in the order of delivery; the commit position is the end of the finished prefix."""

    def __init__(self) -> None:
        self._entries: dict[TP, deque[Entry]] = {}
        self._expected: dict[TP, int] = {}
        self._position: dict[TP, int] = {}
        self._begun: dict[TP, int] = {}
        self._inherited: dict[TP, Mark] = {}

    def seed(self, tp: TP, offset: int) -> None:
        """The next event of this partition has this offset: what the group has committed."""
        if not self._entries.get(tp):
            self._expected[tp] = offset

    def inherit(self, tp: TP, mark: Mark) -> None:
        """What the partition's last owner had written."""
        self._inherited[tp] = mark

    def past(self, tp: TP, offset: int) -> Past:
        """What may have become of an event before."""
        mark = self._inherited.get(tp)
        if mark is None or offset >= max(mark.begun, mark.suspects):
            return Past.NONE
        return Past.SUSPECT if offset < mark.suspects else Past.BEGUN

    def order(self, tp: TP, offset: int) -> Order:
        """Whether an event is the next one of its partition."""
        expected = self._expected.get(tp)
        if expected is None or offset == expected:
            return Order.NEXT
        return Order.GAP if offset > expected else Order.AGAIN

    def expected(self, tp: TP) -> int:
        """The offset that should have come."""
        return self._expected[tp]

    def take(self, tp: TP, offset: int) -> Entry:
        """Take an event on: before anything is awaited, so that a rebalance in between can't reorder it."""
        entry = Entry(offset)
        self._entries.setdefault(tp, deque()).append(entry)
        self._expected[tp] = offset + 1
        self._position.setdefault(tp, offset)
        return entry

    def begin(self, tp: TP, offset: int) -> None:
        """Work on it begins: from now on it may be what a worker dies on."""
        if tp in self._position:
            self._begun[tp] = max(offset + 1, self._begun.get(tp, 0))

    def finish(self, tp: TP, entry: Entry) -> None:
        """The event's results are durable and announced. After a reset this changes nothing."""
        entry.finished = True
        entries = self._entries.get(tp)
        while entries and entries[0].finished:
            self._position[tp] = entries.popleft().offset + 1

    def backlog(self, ends: Callable[[TP], int | None]) -> int:
        """Events that stand between what came last and the end of each partition, as far as both are known."""
        return sum(max(0, (ends(tp) or 0) - expected) for tp, expected in self._expected.items())

    def marks(self) -> dict[TP, Mark]:
        """What to commit while work goes on: whatever was begun is suspect if we are never heard of again."""
        return {tp: self._mark(tp, self._begun.get(tp, 0)) for tp in self._position}

    def releases(self) -> dict[TP, Mark]:
        """What to commit when the partitions are let go of in good order: nobody died on what we began."""
        return {tp: self._mark(tp, 0) for tp in self._position}

    def _mark(self, tp: TP, suspects: int) -> Mark:
        offset, inherited = self._position[tp], self._inherited.get(tp, Mark(0, 0, 0))
        begun = max(offset, self._begun.get(tp, 0), inherited.begun)
        return Mark(offset, begun, max(offset, suspects, inherited.suspects))

    def reset(self, tps: set[TP]) -> None:
        """These partitions are no longer ours, or are read anew from the committed offset."""
        for tp in tps:
            for known in (self._entries, self._expected, self._position, self._begun, self._inherited):
                known.pop(tp, None)
