"""Large jobs step back while an image of a small one is in work in the same process, for half of the time at most."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LONGEST_SECONDS = 0.25
"""For which nothing large is begun; then for as long everything is."""


class Courtesy:
    """One process's."""

    def __init__(self) -> None:
        self._urgent = 0
        self._none = asyncio.Event()
        self._none.set()
        self._turn = 0.0
        """Until then it is the large ones' turn."""

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """An image of a small job is in work."""
        self._urgent += 1
        self._none.clear()
        try:
            yield
        finally:
            self._urgent -= 1
            if not self._urgent:
                self._none.set()

    async def step_back(self) -> None:
        """Return when nothing urgent is in work, or it is somebody else's turn."""
        if self._none.is_set() or time.monotonic() < self._turn:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_SECONDS):  # `wait_for` of Python 3.11 loses a cancellation now and then
                await self._none.wait()
        if not self._none.is_set():
            self._turn = time.monotonic() + LONGEST_SECONDS
