"""What Kubernetes does with a number that is wanted: KEDA between zero and one replica, the HPA from one on."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from math import ceil

from observability.scaling import Pace

TOLERANCE = 0.1
"""The HPA's: so far from what is wanted nothing is changed."""


@dataclass(slots=True)
class Autoscaler:
    """Of one deployment."""

    pace: Pace
    most: int
    _said: deque[tuple[float, int]] = field(default_factory=deque)
    """What was recommended when, as far back as it matters."""
    _before: deque[tuple[float, int]] = field(default_factory=deque)
    """How many there were when, over the time in which only some may go."""
    _active: float = 0.0
    """When there was work last, or nobody knew."""

    def decide(self, now: float, replicas: int, awake: bool | None, wanted: Collection[float | None]) -> int:
        """How many there shall be from now on.

        With some of the numbers away, the largest of the others may add replicas, and takes none away.
        """
        known = [number for number in wanted if number is not None]
        if awake is not False or any(known) or not known:
            self._active = now
        if not replicas:
            return 1 if awake or any(known) else 0
        if now - self._active >= self.pace.waits:
            return 0
        most = max(known, default=None)
        if most is not None and most < replicas and len(known) < len(wanted):
            most = None
        return self._between(now, replicas, most)

    def _between(self, now: float, replicas: int, wanted: float | None) -> int:
        if wanted is None:
            return replicas
        near = abs(wanted / replicas - 1) <= TOLERANCE
        self._said.append((now, replicas if near else max(1, min(self.most, ceil(wanted)))))
        recommended = self._said[-1][1]
        if recommended >= replicas:
            self._note(now, replicas)
            return recommended
        return self._fewer(now, replicas)

    def _fewer(self, now: float, replicas: int) -> int:
        _forget(self._said, now - self.pace.waits)
        steady = min(replicas, max(count for _, count in self._said))
        self._note(now, replicas)
        least = self._before[0][1] * (100 - self.pace.most_down) // 100
        return max(steady, least, 1)

    def _note(self, now: float, replicas: int) -> None:
        self._before.append((now, replicas))
        _forget(self._before, now - self.pace.every)


def _forget(moments: deque[tuple[float, int]], before: float) -> None:
    while moments[0][0] < before:
        moments.popleft()
