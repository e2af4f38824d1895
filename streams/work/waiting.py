"""What was delivered and waits for a slot: partitions take turns, and what must go first does."""

import asyncio
from collections import Counter, deque
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Waiting(Generic[K, T]):
    """Items by partition, each partition's in order; one task puts, one gets.

    Parameters
    ----------
    most
        Items at once; `put` waits for room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._first: dict[K, deque[T]] = {}
        self._rest: dict[K, deque[T]] = {}
        self._drops: Counter[K] = Counter()
        self._fewer, self._more = asyncio.Event(), asyncio.Event()

    def __len__(self) -> int:
        return sum(
            map(len, [*self._first.values(), *self._rest.values()])
        )  # copied at once: also asked in other threads

    async def put(self, partition: K, item: T, first: bool) -> None:
        """Let an item wait; `first`: before all that are not. Dropped with its partition, even as it waits for room."""
        drops = self._drops[partition]
        while not first and len(self) >= self._most:
            self._fewer.clear()
            await self._fewer.wait()
        if drops == self._drops[partition]:
            lines = self._first if first else self._rest
            lines.setdefault(partition, deque()).append(item)
            self._more.set()

    async def get(self) -> T:
        """The next item, when there is one."""
        while not len(self):
            self._more.clear()
            await self._more.wait()
        lines = self._first or self._rest
        partition = next(iter(lines))
        items = lines.pop(partition)
        item = items.popleft()
        if items:
            lines[partition] = items  # at the end: the others come first now
        self._fewer.set()
        return item

    def drop(self, partitions: set[K]) -> None:
        """These partitions' items are no longer ours."""
        for partition in partitions:
            self._first.pop(partition, None)
            self._rest.pop(partition, None)
            self._drops[partition] += 1
        self._fewer.set()
