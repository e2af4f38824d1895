"""Large archives are listed a few at a time; small ones don't wait for them."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

LARGE = 2
"""At once: a million images are a gigabyte, and a core for minutes."""


class Listing:
    """One process's room for listing archives."""

    def __init__(self, large: int = LARGE) -> None:
        self._large = asyncio.Semaphore(large)

    def turn(self, large: bool) -> AbstractAsyncContextManager[None]:
        """While an archive is listed."""
        return self._large if large else nullcontext()
