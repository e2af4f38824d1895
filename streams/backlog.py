"""Tells what waits: `python -m streams.backlog` reads where the stages' groups stand, and serves that as metrics.

While nobody can tell, there is no number at all, neither zero nor the last one: whoever scales by them must freeze.
"""

import sys
import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Protocol

from observability import metrics
from observability.instruments import Values
from observability.logs import configure, log
from streams.flow import Flow, Positions
from streams.kafka import BrokerAway, Offsets, Place
from streams.settings import Settings
from streams.topics import GROUPS

LOOKS = 2
"""Within the time that a reading is believed: one may be missed, and what is told is never older."""


class Reads(Protocol):
    """Knows where groups stand: `streams.kafka.Offsets`, or a stand-in of the tests."""

    def positions(self) -> Mapping[str, Positions]:
        """By group and partition; raises `BrokerAway`."""

    def written(self, places: Mapping[Place, int], seconds: float) -> Mapping[Place, float]:
        """When the first event from each offset on was written; without those that nobody could tell in time."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What is told of one group; what can't be told is none."""

    lag: int
    arrival: float | None
    service: float | None
    backlog: float | None
    oldest: float | None


class Exporter:
    """Looks, computes, and answers whoever scrapes.

    Parameters
    ----------
    offsets
        Who knows where groups stand.
    seconds
        For how long a reading is believed.
    clock
        Seconds of which only differences count.
    now
        Seconds since 1970, as in Kafka's timestamps.
    """

    def __init__(
        self,
        offsets: Reads,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._offsets = offsets
        self._seconds = seconds
        self._clock = clock
        self._now = now
        self._flows: dict[str, Flow] = {}
        self._written: dict[tuple[Place, int], float] = {}
        """When the events were written at which groups stood at the last look."""
        self._read: tuple[float, Mapping[str, _Numbers]] = (float("-inf"), {})

    def look(self) -> None:
        """Read once; raises nothing while the broker is away."""
        was_known = bool(self._read[1])
        try:
            groups = self._offsets.positions()
        except BrokerAway as why:
            self._read = (float("-inf"), {})
            if was_known:
                log().warning("backlog_unknown", why=str(why))
            return
        seen = self._clock()
        self._remember({(place, each.next) for places in groups.values() for place, each in places.items() if each.lag})
        self._read = (seen + self._seconds, {group: self._seen(group, seen, groups[group]) for group in groups})
        if not was_known:
            log().info("backlog_known", groups=len(groups))

    def tell(self) -> None:
        """Have every scrape ask this exporter."""
        told = {
            metrics.LAG: "lag",
            metrics.ARRIVAL: "arrival",
            metrics.SERVICE: "service",
            metrics.BACKLOG_SECONDS: "backlog",
            metrics.OLDEST: "oldest",
        }
        for metric, field in told.items():
            metric.ask(partial(self._values, attrgetter(field)))
        metrics.KNOWN.ask(lambda: {_labels(group): float(group in self._believed()) for group in GROUPS})

    def _believed(self) -> Mapping[str, _Numbers]:
        until, numbers = self._read
        return numbers if self._clock() < until else {}

    def _values(self, number: Callable[[_Numbers], float | None]) -> Mapping[Values, float]:
        known = {_labels(group): number(numbers) for group, numbers in self._believed().items()}
        return {labels: value for labels, value in known.items() if value is not None}

    def _seen(self, group: str, at: float, positions: Positions) -> _Numbers:
        flow = self._flows.setdefault(group, Flow())
        flow.see(at, positions)
        return _Numbers(flow.lag, flow.arrival, flow.service, flow.backlog, self._oldest(positions))

    def _remember(self, wanted: Set[tuple[Place, int]]) -> None:
        """Keep the times of these events; reads those that are not known yet. No two groups read one topic."""
        self._written = {event: at for event, at in self._written.items() if event in wanted}
        missing = dict(wanted - self._written.keys())
        if missing:
            found = self._offsets.written(missing, self._seconds / LOOKS / 2)
            self._written |= {(place, missing[place]): at for place, at in found.items()}

    def _oldest(self, positions: Positions) -> float | None:
        """Age of the first event that is not committed; none where not every partition's is known."""
        times = [self._written.get((place, each.next)) for place, each in positions.items() if each.lag]
        known = [at for at in times if at is not None]
        if len(known) < len(times):
            return None
        return max(0.0, self._now() - min(known)) if known else 0.0


def _labels(group: str) -> Values:
    stage, _, lane = group.partition(".")
    return stage, lane or metrics.ALL


def main() -> None:
    """Look for ever."""
    configure("backlog")
    settings = Settings()
    pause = settings.backlog_seconds / LOOKS
    exporter = Exporter(Offsets(settings.kafka, seconds=pause), settings.backlog_seconds)
    exporter.tell()
    if metrics.serve(settings.metrics) is None:
        sys.exit("The backlog is told as metrics: MONOLAYER_METRICS says where, as a free host:port")
    while True:
        exporter.look()
        if settings.heartbeat:
            settings.heartbeat.touch()
        time.sleep(pause)


if __name__ == "__main__":
    main()
