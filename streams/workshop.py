"""Threads that compute, two for all and one for small jobs; a computation that never ends is left behind."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from observability.logs import log
from streams.events import Lane

T = TypeVar("T")
THREADS = {Lane.BULK: 2, Lane.INTERACTIVE: 1}
COMPUTATION_SECONDS = 90
"""Seen on the clock while it runs: the slowest honest one, a segmentation of 64 megapixels, takes ten."""


class Hung(Exception):
    """A computation did not end. Its thread can't be stopped, only left to the end of the process."""


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
        seen = 0
        while seen < self._seconds:
            done, _ = await asyncio.wait({future}, timeout=1)
            if done:
                return future.result()
            seen += begun.is_set()  # by looks, not by the clock: a process that was stopped has not computed
        self._leave_behind(lane)
        raise Hung(f"a computation did not end in {self._seconds} s")

    def _leave_behind(self, lane: Lane) -> None:
        self.hung += 1
        log().error("computation_hangs", lane=lane, hung=self.hung)
        self._pools[lane].shutdown(wait=False)
        self._pools[lane] = ThreadPoolExecutor(THREADS[lane], f"compute-{lane}")
