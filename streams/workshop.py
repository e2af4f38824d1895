"""Threads that compute, two for all and one for small jobs; a computation that never ends is left behind."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from observability.logs import log
from streams.events import Lane

T = TypeVar("T")
THREADS = {Lane.BULK: 2, Lane.INTERACTIVE: 1}
COMPUTATION_SECONDS = 90
"""Seen on the clock while it runs: the slowest honest one, a segmentation of 64 megapixels, takes ten."""


class Hung(Exception):
    """A computation did not end in so many seconds. A thread can't be stopped, only left to the end of the process."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"a computation did not end in {seconds} s")


async def ends(future: "asyncio.Future[Any]", seconds: int, begun: Callable[[], bool] = lambda: True) -> bool:
    """Whether it is done within so many looks since it began; not by the clock: a stopped process has not computed."""
    seen = 0
    while seen < seconds:
        if (await asyncio.wait({future}, timeout=1))[0]:
            return True
        seen += begun()
    return False


class Workshop:
    """Computes for one process."""

    def __init__(self, seconds: int = COMPUTATION_SECONDS) -> None:
        self.hung = 0
        """Threads left behind: a process with one should end soon, in good order."""
        self._seconds = seconds
        self._pools = {lane: ThreadPoolExecutor(count, f"compute-{lane}") for lane, count in THREADS.items()}

    async def run(self, lane: Lane, work: Callable[[], T]) -> T:
        """What the work returns; raises what it raises, and `Hung`."""
        begun = threading.Event()

        def start() -> T:
            begun.set()
            return work()

        future = asyncio.get_running_loop().run_in_executor(self._pools[lane], start)
        if await ends(future, self._seconds, begun.is_set):
            return future.result()
        self._leave_behind(lane)
        raise Hung(self._seconds)

    def _leave_behind(self, lane: Lane) -> None:
        self.hung += 1
        log().error("computation_hangs", lane=lane, hung=self.hung)
        self._pools[lane].shutdown(wait=False)
        self._pools[lane] = ThreadPoolExecutor(THREADS[lane], f"compute-{lane}")
