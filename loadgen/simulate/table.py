"""The policies side by side on the same curves: how long work waits, and how many hours of nodes are paid for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from loadgen.simulate.curves import Curve
from loadgen.simulate.play import Moment, play
from loadgen.simulate.policies import POLICIES


@dataclass(frozen=True, slots=True)
class Row:
    """What one policy made of one curve."""

    curve: str
    policy: str
    drained: float | None
    """Seconds from the last event's coming until nothing waits; none where it still does at the end."""
    waited: float
    """Seconds that an event waited on average (Little's law)."""
    worker_hours: float
    server_hours: float
    turns: int
    """How often the replicas of either kind changed their direction."""

    def as_json(self) -> dict[str, object]:
        """It as JSON."""
        return asdict(self)


def rows(curves: Iterable[Curve]) -> Iterator[Row]:
    """Each curve under each policy."""
    for curve in curves:
        for name, policy in POLICIES.items():
            moments, world = play(curve, policy)
            yield Row(
                curve.name,
                name,
                _drained(moments, curve),
                _waited(moments),
                world.workers.seconds / 3600,
                world.servers.seconds / 3600,
                turns([each.workers for each in moments]) + turns([each.servers for each in moments]),
            )


def together(rows: Sequence[Row]) -> list[str]:
    """What each policy asks for on all curves, and how often the first waits no longer than the second."""
    one, other = ([row for row in rows if row.policy == name] for name in POLICIES)
    hours = [(sum(row.worker_hours for row in each), sum(row.server_hours for row in each)) for each in (one, other)]
    no_longer = sum(ours.waited <= theirs.waited for ours, theirs in zip(one, other, strict=True))
    sums = [
        f"{name}: {workers:.1f} worker-hours and {servers:.1f} server-hours in all."
        for name, (workers, servers) in zip(POLICIES, hours, strict=True)
    ]
    return [*sums, f"{' waits no longer than '.join(POLICIES)} on {no_longer} of {len(one)}."]


def turns(counts: Sequence[int]) -> int:
    """How often a series changes its direction."""
    steps = [after > before for before, after in pairwise((0, *counts)) if after != before]
    return sum(one != other for one, other in pairwise(steps))


def _drained(moments: Sequence[Moment], curve: Curve) -> float | None:
    last = max((each.at for each in moments if each.waiting), default=0.0)
    return None if moments[-1].waiting else max(0.0, last - curve.lasts)


def _waited(moments: Sequence[Moment]) -> float:
    served = sum(each.served for each in moments)
    return sum(each.waiting for each in moments) / served if served else 0.0
