"""Room for listing: large archives are listed a few at a time, and small ones don't wait for them."""

import asyncio

SMALL = 6
"""At once: whoever lists holds a thread that others need as well."""
LARGE = 2
"""At once: a million images are a gigabyte, and a core for minutes."""


class Listing:
    """One process's room for listing what was uploaded."""

    def __init__(self, small: int = SMALL, large: int = LARGE) -> None:
        self.small = asyncio.Semaphore(small)
        self.large = asyncio.Semaphore(large)
