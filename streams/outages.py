"""When a part of the system was last found away: waiting for it is not hanging (rule 19)."""

import time


class Outages:
    """Of the store, as the runs of one process meet them; Triton's are the breaker's."""

    def __init__(self) -> None:
        self.last = ""
        self._at = float("-inf")

    def seen(self, error: Exception) -> None:
        """A part is away right now."""
        self.last, self._at = str(error), time.monotonic()

    def within(self, seconds: float) -> bool:
        """Whether there was one in the last so many seconds."""
        return time.monotonic() - self._at < seconds
