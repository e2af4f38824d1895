"""The policies under comparison: each says how many workers and servers it wants, from the same measurements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from observability import scaling
from observability.scaling import SERVERS, UTILISATION, WORKERS, Serving, Work

DRAIN = scaling.drain_seconds(WORKERS, SERVERS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is measured at one moment; none where nobody can tell."""

    waiting: float | None
    arriving: float | None
    worker_seconds: float | None
    model_seconds: float | None
    in_flight: float
    workers: int
    """Those that were asked for."""
    serving: Serving


class Wanted(NamedTuple):
    """How many of each, by one number or several of which the largest counts; none is: leave them."""

    workers: tuple[float | None, ...]
    servers: tuple[float | None, ...]


class Policy(Protocol):
    """Says what is wanted."""

    def __call__(self, seen: Seen, slots: int, each: float) -> Wanted:
        """From what is seen; workers have so many slots, and a server takes so many of them."""


def backlog(seen: Seen, slots: int, each: float) -> Wanted:
    """Ours: what waits and what comes, in seconds of work; servers that are busier than they should be as well."""
    for_workers = Work(seen.waiting, seen.arriving, seen.worker_seconds)
    for_servers = Work(seen.waiting, seen.arriving, seen.model_seconds)
    workers = scaling.kept(scaling.demand(for_workers, drain=DRAIN), seen.in_flight, slots)
    servers = (
        scaling.demand(for_servers, UTILISATION, DRAIN),
        scaling.by_utilisation(seen.serving),
        scaling.by_queue(seen.serving),
    )
    return Wanted((scaling.capped(workers, seen.serving.ready, each),), servers)


def published(seen: Seen, slots: int, each: float) -> Wanted:
    """The DeepCell Kiosk's."""
    gpu = None if seen.serving.utilisation is None else 100 * seen.serving.utilisation
    workers = scaling.published_consumers(seen.workers, gpu, seen.waiting, seen.serving.ready)
    return Wanted((workers,), (scaling.by_utilisation(seen.serving),))


POLICIES: Mapping[str, Policy] = {"backlog": backlog, "published": published}
