"""Threads of its own for what is slow: whoever waits for a picture takes none from the rest of the API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Any, TypeVar

Found = TypeVar("Found")


class Threads:
    """A few threads and a queue before them.

    Parameters
    ----------
    count
        So many work at once.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count)

    async def run(self, work: Callable[[], Found]) -> Found:
        """Do it when it is its turn."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def stream(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, each made when it is asked for."""
        while (piece := await self.run(partial(next, pieces, None))) is not None:
            yield piece


def drawn(endpoint: Callable[..., Found]) -> Callable[..., Awaitable[Found]]:
    """An endpoint whose work is done in the threads that pictures have."""

    @wraps(endpoint)
    async def waiting(**given: Any) -> Found:
        pictures: Threads = given["tools"].pictures
        return await pictures.run(partial(endpoint, **given))

    return waiting
