"""When a part of the system was last found away: waiting for it is not hanging (rule 19)."""

import time


class Outages:
    """Of the store, as the runs of one process meet them; Triton's are the breaker's."""

    def __init__(self) -> None:
        self._at = float("-inf")

    def seen(self) -> None:
        """A part is away right now."""
        self._at = time.monotonic()

    def within(self, seconds: float) -> bool:
        """Whether there was one in the last so many seconds."""
        return time.monotonic() - self._at < seconds
