"""Which images ended, and when: heard on `outcomes`, the only sign of progress from outside."""

import time
from bisect import bisect_right
from collections import defaultdict
from itertools import pairwise

from loadgen.chaos.records import Record
from streams.events import ImageEnded


class Completions:
    """Images by job, and the moments (of the monotonic clock) at which each was first heard to have ended."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.heard: dict[tuple[str, int], float] = {}
        """The last time an image was said to have ended: it may be said again."""
        self._count: dict[str, int] = defaultdict(int)

    def hear(self, record: Record) -> None:
        """Listen to a record."""
        event = record.event if record.topic == ImageEnded.topic else {}
        if "job" not in event or "image" not in event:
            return
        image, now = (str(event["job"]), int(event["image"])), time.monotonic()
        if image not in self.heard:
            self.times.append(now)
            self._count[image[0]] += 1
        self.heard[image] = now

    def count(self, job: str) -> int:
        """How many images of a job ended."""
        return self._count[job]

    @property
    def total(self) -> int:
        """How many images ended in all."""
        return len(self.times)

    def first_after(self, moment: float) -> float | None:
        """When the first image ended after a moment; none yet."""
        index = bisect_right(self.times, moment)
        return self.times[index] if index < len(self.times) else None

    def longest_gap(self, begun: float, ended: float) -> float:
        """The longest time without an image ending between two moments."""
        inside = [moment for moment in self.times[bisect_right(self.times, begun) :] if moment < ended]
        moments = [begun, *inside, ended]
        return max(later - earlier for earlier, later in pairwise(moments))
