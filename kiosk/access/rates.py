"""How often somebody may ask: a bucket of requests for each caller, filled evenly. Each replica of the API counts for
itself, so that all together allow as many times more.
"""

import threading
import time
from collections.abc import Callable

KEPT = 10_000
"""Callers remembered at most; who was silent for longest is forgotten first."""


class Rates:
    """Counts requests by caller.

    Parameters
    ----------
    per_second
        Requests on average; 0: as many as they like.
    burst
        Requests at once after a rest.
    clock
        A clock in seconds, of which only differences count.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str) -> float:
        """Seconds until the caller may ask again; 0: the request is counted, and may go on."""
        if not self._per_second:
            return 0.0
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(caller, (float(self._burst), now))
            left = min(float(self._burst), left + (now - since) * self._per_second)
            self._left[caller] = (left - 1 if left >= 1 else left), now
            if len(self._left) > KEPT:
                self._left.pop(next(iter(self._left)))
        return 0.0 if left >= 1 else (1 - left) / self._per_second
