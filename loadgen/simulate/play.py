"""Plays a load curve: what comes, what is worked off, what is measured of it, and what the autoscalers make of that."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from loadgen.simulate.autoscaler import Autoscaler
from loadgen.simulate.curves import REST, Curve
from loadgen.simulate.fleet import Fleet
from loadgen.simulate.policies import Policy, Seen
from observability.scaling import LOOKS_SECONDS, SERVERS, WORKERS, Serving, awake

STEP = 5.0
WINDOW = 30.0
"""Seconds over which rates are measured."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What an event needs, and how much there may be."""

    worker_seconds: float = 0.12
    model_seconds: float = 0.05
    slots: int = 6
    workers_each: float = 4.0
    """Workers that one server takes."""
    most_workers: int = 32
    most_servers: int = 10


class Moment(NamedTuple):
    """What one step came to."""

    at: float
    waiting: float
    workers: int
    servers: int
    served: float
    """Events a second."""
    seen: bool
    """Whether the metrics were there."""


@dataclass(slots=True)
class World:
    """The queue, the replicas, and what is measured."""

    curve: Curve
    costs: Costs
    workers: Fleet
    servers: Fleet
    waiting: float = 0.0
    served: float = 0.0
    measured: bool = False
    """Whether it is known what an event needs."""
    came: deque[float] = field(default_factory=lambda: deque(maxlen=round(WINDOW / STEP)))

    def pass_by(self, now: float) -> None:
        """A step passes, until now."""
        begin = now - STEP
        reclaimed, count = self.curve.reclaimed
        if begin < reclaimed <= now:
            self.servers.reclaim(count, now)
        for fleet in (self.workers, self.servers):
            fleet.pass_by(STEP, now)
        came = self.curve.rate(begin) * STEP if begin < self.curve.lasts else 0.0
        self.came.append(came)
        self.waiting += came
        self.served = min(self.waiting / STEP, *self._capacities())
        self.waiting = max(0.0, self.waiting - self.served * STEP)
        self.waiting = 0.0 if self.waiting < 1e-6 else self.waiting
        self.measured = self.measured or self.served > 0

    def seen(self) -> Seen:
        """What the metrics tell now."""
        costs, known = self.costs, self.measured
        return Seen(
            waiting=self.waiting + self._in_flight(),
            arriving=sum(self.came) / WINDOW,
            worker_seconds=costs.worker_seconds if known else None,
            model_seconds=costs.model_seconds if known else None,
            in_flight=self._in_flight(),
            workers=self.workers.replicas,
            serving=self._serving(),
        )

    def _capacities(self) -> tuple[float, float]:
        return self.workers.ready / self.costs.worker_seconds, self.servers.ready / self.costs.model_seconds

    def _in_flight(self) -> float:
        """Events in the slots of workers, by Little's law; all slots where more wait."""
        room = float(self.workers.ready * self.costs.slots)
        return room if self.waiting else min(room, self.served * self.costs.worker_seconds)

    def _serving(self) -> Serving:
        if not self.servers.ready:
            return Serving(0, None, None, None)
        busy = min(1.0, self.served * self.costs.model_seconds / self.servers.ready)
        queued = busy / max(1 - busy, 0.1)  # as an M/M/1 queue, of bounded length
        return Serving(self.servers.ready, busy, queued * busy, busy)


def play(curve: Curve, policy: Policy, costs: Costs = Costs()) -> tuple[list[Moment], World]:  # frozen
    """The whole curve, from nothing to silence; the same each time."""
    workers, servers = (replace(pace, starting=pace.starting * curve.starting) for pace in (WORKERS, SERVERS))
    world = World(curve, costs, Fleet(workers.starting), Fleet(servers.starting))
    scalers = (Autoscaler(WORKERS, costs.most_workers), Autoscaler(SERVERS, costs.most_servers))
    return list(_moments(world, policy, scalers)), world


def _moments(world: World, policy: Policy, scalers: tuple[Autoscaler, Autoscaler]) -> Iterator[Moment]:
    for step in range(1, round((world.curve.lasts + REST) / STEP)):
        now = step * STEP
        world.pass_by(now)
        if now % LOOKS_SECONDS == 0:
            _scale(world, policy, scalers, now)
        yield _moment(world, now)


def _scale(world: World, policy: Policy, scalers: tuple[Autoscaler, Autoscaler], now: float) -> None:
    seen, curve = world.seen(), world.curve
    unseen, unwatched = now in curve.unseen, now in curve.unwatched
    there = None if unseen else awake(seen.waiting)
    blind = replace(seen, waiting=None, arriving=None, serving=Serving(seen.serving.ready, None, None, None))
    wanted = policy(blind if unseen or unwatched else seen, world.costs.slots, world.costs.workers_each)
    for fleet, scaler, numbers in zip((world.workers, world.servers), scalers, wanted, strict=True):
        fleet.scale(scaler.decide(now, fleet.replicas, there, numbers), now)


def _moment(world: World, now: float) -> Moment:
    return Moment(
        now,
        world.waiting,
        world.workers.replicas,
        world.servers.replicas,
        world.served,
        now not in world.curve.unseen and now not in world.curve.unwatched,
    )
