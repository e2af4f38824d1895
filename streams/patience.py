"""How long one attempt at an event may take, not counting what it waits for others."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Patience:
    """One run's clock. It stands still while the run waits for room, for its turn, or for a part that is away."""

    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None
        self._left = 0.0
        self._waiting = 0

    @asynccontextmanager
    async def limited(self, seconds: float | None) -> AsyncIterator[None]:
        """Raise `TimeoutError` when the block has worked for so long; none: never."""
        try:
            async with asyncio.timeout(seconds) as self._limit:
                yield
        finally:
            self._limit, self._waiting = None, 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The time in this block is nobody's fault. Blocks may overlap: tiles of one image wait side by side."""
        limit = self._limit
        if limit is None or limit.expired() or (not self._waiting and limit.when() is None):
            yield
            return
        self._stop(limit)
        try:
            yield
        finally:
            self._go_on(limit)

    def _stop(self, limit: asyncio.Timeout) -> None:
        if not self._waiting:
            self._left = (limit.when() or 0.0) - asyncio.get_running_loop().time()
            limit.reschedule(None)
        self._waiting += 1

    def _go_on(self, limit: asyncio.Timeout) -> None:
        if self._limit is not limit or limit.expired():
            return
        self._waiting -= 1
        if not self._waiting:
            limit.reschedule(asyncio.get_running_loop().time() + self._left)
