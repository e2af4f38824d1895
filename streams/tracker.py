"""The commit position: only what is finished without a gap before it (rule 16).

Faust 0.15.3 commits past events that were never acknowledged (upstream issue 606), so its own book-keeping is not used.
"""

import enum
from collections import deque
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


@dataclass(slots=True)
class Entry:
    """One event taken on and not yet committed."""

    offset: int
    finished: bool = False


class Tracker(Generic[TP]):
    """Per partition: entries in the order of delivery; the commit position is the end of the finished prefix."""

    def __init__(self) -> None:
        self._entries: dict[TP, deque[Entry]] = {}
        self._expected: dict[TP, int] = {}
        self.position: dict[TP, int] = {}

    def seed(self, tp: TP, offset: int) -> None:
        """The next event of this partition has this offset: what the group has committed."""
        if not self._entries.get(tp):
            self._expected[tp] = offset

    def order(self, tp: TP, offset: int) -> Order:
        """Whether an event is the next one of its partition."""
        expected = self._expected.get(tp)
        if expected is None or offset == expected:
            return Order.NEXT
        return Order.GAP if offset > expected else Order.AGAIN

    def expected(self, tp: TP) -> int:
        """The offset that should have come."""
        return self._expected[tp]

    def begin(self, tp: TP, offset: int) -> Entry:
        """Take an event on: before anything is awaited, so that a rebalance in between can't reorder it."""
        entry = Entry(offset)
        self._entries.setdefault(tp, deque()).append(entry)
        self._expected[tp] = offset + 1
        return entry

    def finish(self, tp: TP, entry: Entry) -> None:
        """The event's results are durable and announced. After a reset this changes nothing."""
        entry.finished = True
        entries = self._entries.get(tp)
        while entries and entries[0].finished:
            self.position[tp] = entries.popleft().offset + 1

    def reset(self, tps: set[TP]) -> None:
        """These partitions are no longer ours, or are read anew from the committed offset."""
        for tp in tps:
            self._entries.pop(tp, None)
            self._expected.pop(tp, None)
            self.position.pop(tp, None)
