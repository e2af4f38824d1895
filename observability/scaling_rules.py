"""The formulas of `scaling` as Prometheus computes them: recording rules, whose last tell how many replicas are wanted.

An autoscaler takes those with a target of 1. What can't be computed is not recorded, and then the autoscaler freezes.
Numbers are given as text, so that a chart may put its own expressions in their place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from observability.scaling import (
    BUSY,
    PUBLISHED_CROWD,
    PUBLISHED_TARGET,
    PUBLISHED_TARGET_CROWDED,
    QUEUE_RATIO,
)

WAITING = "monolayer:waiting_events"
ARRIVING = "monolayer:arriving_events_per_second"
SERVED = "monolayer:served_events_per_second"
WORKER_SECONDS = "monolayer:worker_seconds"
MODEL_SECONDS = "monolayer:model_seconds"
WANTED_WORKERS = "monolayer:wanted_workers"
WANTED_SERVERS = "monolayer:wanted_servers"
"""By what waits and what comes."""
PRESSED_SERVERS = "monolayer:pressed_servers"
"""By how busy the servers are, and how long requests wait in them."""
PUBLISHED_WORKERS = "monolayer:published_workers"
PUBLISHED_SERVERS = "monolayer:published_servers"
TRITON_JOB = "monolayer-triton"
MODEL_STAGES = ("tile", "predict")
"""Whose events are what the model has to do."""
_MEASURED = ":measured"
_READY = f'count(up{{job="{TRITON_JOB}"}} == 1)'
_FULL = 0.8
"""Of its slots, from which on a worker counts as one that does what it can."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One recording rule, as Prometheus reads it."""

    record: str
    expr: str
    stage: str = ""

    def yaml(self) -> dict[str, object]:
        """It as an entry of a rules file."""
        labels = {"labels": {"stage": self.stage}} if self.stage else {}
        return {"record": self.record, "expr": self.expr, **labels}


@dataclass(frozen=True, slots=True)
class Chain:
    """Workers of one kind."""

    stage: str
    """The first of the chain: what it reads is what waits for these workers."""
    slots: int
    seconds: str
    """Of one worker for an event, until that was measured."""
    each: str = ""
    """So many of them one model server takes; empty: they need none."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The model servers."""

    seconds: str
    """Of one server for an event, until that was measured."""
    instances: str
    """Of the model in one server."""
    utilisation: str
    """That their GPUs should have."""
    gpus: bool = True


def rules(chains: Iterable[Chain], servers: Servers, drain: str) -> list[Rule]:
    """All of them, in the order in which they need each other."""
    found = [*_flows()]
    for chain in chains:
        found += _workers(chain, drain)
    return [*found, *_servers(servers, drain)]


def _flows() -> Iterator[Rule]:
    """Of each stage, both lanes together; none where the backlog of one of them is not known."""
    unknown = "unless on (stage) min by (stage) (monolayer_backlog_known) == 0"
    for record, metric in (
        (WAITING, "monolayer_lag_events"),
        (ARRIVING, "monolayer_arrival_events_per_second"),
        (SERVED, "monolayer_service_events_per_second"),
    ):
        yield Rule(record, f"sum by (stage) (max by (stage, lane) ({metric})) {unknown}")


def _workers(chain: Chain, drain: str) -> Iterator[Rule]:
    stage = f'{{stage="{chain.stage}"}}'
    in_flight = f'monolayer_in_flight_events{{stage="{chain.stage}", lane!="interactive"}}'
    ready, full = f"count({in_flight})", f"avg({in_flight}) >= {_FULL * chain.slots:g}"
    measured = f"{ready} / (max({SERVED}{stage}) > 0) and on () ({full}) unless on () max(monolayer_breaker_open) == 1"
    yield Rule(WORKER_SECONDS + _MEASURED, measured, chain.stage)
    yield Rule(WORKER_SECONDS, _learnt(WORKER_SECONDS, stage, chain.seconds), chain.stage)
    demand = _demand(f"max({WORKER_SECONDS}{stage})", [chain.stage], f"{BUSY:g}", drain)
    kept = f"scalar(sum(monolayer_in_flight_events{stage}) / {chain.slots} or vector(0))"
    wanted = f"clamp_min({demand}, {kept})"
    if chain.each:
        wanted = f"clamp_max({wanted}, scalar(clamp_min(({_READY} or vector(0)) * {chain.each}, 1)))"
    yield Rule(WANTED_WORKERS, wanted, chain.stage)
    if chain.each:
        yield Rule(PUBLISHED_WORKERS, _published(f"max({WAITING}{stage})", f"clamp_min({ready}, 1)"), chain.stage)


def _servers(servers: Servers, drain: str) -> Iterator[Rule]:
    compute, queue = (_rate(f"nv_inference_{part}_duration_us") for part in ("compute_infer", "queue"))
    served = " + ".join(f'(max({SERVED}{{stage="{stage}"}}) or vector(0))' for stage in MODEL_STAGES)
    measured = f"{compute} / 1e6 / {servers.instances} / ({served} > 0.1)"
    yield Rule(MODEL_SECONDS + _MEASURED, measured)
    yield Rule(MODEL_SECONDS, _learnt(MODEL_SECONDS, "", servers.seconds))
    yield Rule(WANTED_SERVERS, _demand(f"max({MODEL_SECONDS})", MODEL_STAGES, servers.utilisation, drain))
    queued = f"{_READY} * ({queue} / ({compute} > 0) or 0 * {compute}) / {QUEUE_RATIO:g}"
    busy = f"{_READY} * avg(avg_over_time(nv_gpu_utilization[1m])) / {servers.utilisation}"
    yield Rule(PRESSED_SERVERS, _one_more(f"{queued} > {busy} or {busy}" if servers.gpus else queued))
    if servers.gpus:
        yield Rule(PUBLISHED_SERVERS, f"{busy}")


def _one_more(wanted: str) -> str:
    return f"clamp_max({wanted}, scalar({_READY} + 1))"


def _demand(seconds: str, stages: Iterable[str], share: str, drain: str) -> str:
    """`scaling.demand`; of several stages nothing where one of them is not known."""
    arriving, waiting = (
        " + ".join(f'max({record}{{stage="{stage}"}})' for stage in stages) for record in (ARRIVING, WAITING)
    )
    return f"{seconds} * (({arriving}) / {share} + ({waiting}) / {drain})"


def _published(keys: str, consumers: str) -> str:
    """`scaling.published_consumers`."""
    crowd = f"({consumers} > bool {PUBLISHED_CROWD} * scalar({_READY} or vector(1)))"
    target = f"({PUBLISHED_TARGET:g} - {PUBLISHED_TARGET - PUBLISHED_TARGET_CROWDED:g} * {crowd})"
    idle = "1 - avg(avg_over_time(nv_gpu_utilization[1m]))"
    return f"clamp_max({idle}, scalar({keys} / {consumers})) * {consumers} / {target} and on () {keys}"


def _learnt(record: str, stage: str, initial: str) -> str:
    """What was measured lately, else last, else what is set; the median, as an outage's last moments look slow."""
    measured = f"{record}{_MEASURED}{stage}"
    lately, last = f"quantile_over_time(0.5, {measured}[10m])", f"last_over_time({measured}[7d])"
    return f"max({lately}) or max({last}) or vector({initial})"


def _rate(counter: str) -> str:
    return f"sum(rate({counter}[2m]))"
