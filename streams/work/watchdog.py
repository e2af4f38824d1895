"""A thread that ends the process when its loop hangs or its stop takes too long; the supervisor starts a new one.

A thread, not a task: a hung loop runs no task, and ignores SIGTERM.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable

from observability.logs import log

LOOP_SECONDS = 15.0
STOP_SECONDS = 7.0
"""A Spot node gives about 15 s, and everything on one machine has to be down in 12."""
CODE = 70


class Watchdog:
    """Watches one event loop."""

    def __init__(self, leave: Callable[[int], None] = os._exit) -> None:
        self._leave = leave
        self._tick = time.monotonic()
        self._stopping = 0.0
        self._resting = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, in a thread of its own."""
        self._loop = loop
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stopping(self) -> None:
        """The process was asked to stop."""
        self._stopping = self._stopping or time.monotonic()

    def stalled(self, why: str) -> None:
        """Something stands still, seen from within the loop: a new process does better."""
        self._end(why)

    def rest(self) -> None:
        """The loop has ended in good order; nothing is left to watch."""
        self._resting = True

    def _run(self) -> None:
        looked = self._tick = time.monotonic()
        while not self._resting:
            time.sleep(0.5)
            now = time.monotonic()
            if now - looked > 4:  # this process was itself stopped or starved: start all clocks again
                self._tick = now
                self._stopping = now if self._stopping else 0.0
            looked = now
            self._ask()
            if now - self._tick > LOOP_SECONDS:
                self._end("the event loop hangs")
            if self._stopping and now - self._stopping > STOP_SECONDS:
                self._end("stopping takes too long")

    def _ask(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ticked)

    def _ticked(self) -> None:
        self._tick = time.monotonic()

    def _end(self, why: str) -> None:
        log().error("watchdog_ends_process", why=why)
        self._leave(CODE)
