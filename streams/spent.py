"""Where a run's time goes."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Spent(defaultdict[str, float]):
    """Seconds of one run by phase: wait, fetch, decode, plan, model, post, store."""

    def __init__(self) -> None:
        super().__init__(float)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Count the time until the block ends to a phase."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self[phase] += time.perf_counter() - begun
