"""What a worker is asked at each scrape: nothing of it is kept up meanwhile."""

import time
from collections.abc import Callable, Mapping, Sequence

from observability import metrics
from observability.instruments import Values
from streams.gate import Gate
from streams.jobs.tallies import Tallies
from streams.tools import Tools
from streams.work.lane import LaneOfWork


def watch(lanes: Sequence[LaneOfWork], tools: Tools) -> None:
    """Have every scrape ask these."""
    metrics.IN_FLIGHT.ask(_of_each(lanes, lambda lane: lane.in_flight))
    metrics.WAITING.ask(_of_each(lanes, lambda lane: lane.waiting))
    metrics.OLDEST_IN_FLIGHT.ask(_of_each(lanes, lambda lane: lane.oldest(time.monotonic())))
    metrics.BREAKER_OPEN.ask(lambda: _breaker(tools.gate))
    metrics.JOB_IMAGES.ask(lambda: _jobs(tools.tallies))
    metrics.JOB_COST.ask(lambda: _costs(tools.tallies))


def _of_each(
    lanes: Sequence[LaneOfWork], number: Callable[[LaneOfWork], float]
) -> Callable[[], Mapping[Values, float]]:
    return lambda: {lane.labels: number(lane) for lane in lanes}


def _breaker(gate: Gate) -> Mapping[Values, float]:
    return {(): float(gate.breaker.open_since is not None)}


def _jobs(tallies: Tallies) -> Mapping[Values, float]:
    states = tallies.states(metrics.MOST_JOBS)
    return {(job, state): count for job, counts in states.items() for state, count in counts.items()}


def _costs(tallies: Tallies) -> Mapping[Values, float]:
    costs = {job: tallies.accounts.dollars(job) for job in tallies.states(metrics.MOST_JOBS)}
    return {(job,): dollars for job, dollars in costs.items() if dollars is not None}
