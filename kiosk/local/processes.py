"""The table of everything that runs on one machine, and in which order."""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kiosk.local import golang, jaeger, kafka, page, probes, s3, triton, victoriametrics, vmalert
from kiosk.local.cache import remove
from kiosk.local.leftovers import MARK
from kiosk.local.ports import OBSERVERS, metrics
from kiosk.local.process import Process
from kiosk.local.settings import HERE, addresses, environment
from kiosk.local.state import State

SERVERS = ("kafka", "s3", "triton")
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "stage-unzip": ("streams", "unzip", "announce"),
    "stage-segment": ("streams", "tile+predict+postprocess", "predict", "postprocess"),
    "stage-collect": ("streams", "collect"),
    "inbox": ("streams.inbox",),
    "api": ("kiosk.api",),
    "backlog": ("streams.backlog",),
}
"""Python modules and their arguments."""
EVERYTHING = (*SERVERS, *(name for name in PROGRAMS if name not in OBSERVERS))
"""The whole pipeline; what watches it is left out."""
OBSERVED = (*EVERYTHING, *OBSERVERS)
"""With what watches it."""
SEGMENT = "stage-segment"
COMPUTING = 5
"""How far those that compute step back: a small request to the API, the store or Kafka doesn't wait for pixels."""
FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "1048576",
    "MALLOC_TRIM_THRESHOLD_": "2097152",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""glibc: give the memory of tiles and images back at once; between what stays they would leave holes of 60 MB.

NumPy: start no threads for linear algebra that nobody does, before a worker is forked.
"""
_HEALTH = "/api/v1/health"
_MOST_INSTANCES = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where this machine keeps things and where the parts listen."""

    state: State
    cache: Path
    ports: Mapping[str, int]
    through: Mapping[str, str] = field(default_factory=dict)
    """Other addresses, by part, for the stages, the inbox and the API: of proxies before the servers."""
    host: str = HERE
    """Where the API and the S3 server listen."""

    @property
    def addresses(self) -> dict[str, str]:
        """Where each part is found."""
        return addresses(self.ports, self.host)

    @property
    def seen(self) -> dict[str, str]:
        """Where the stages, the inbox and the API find each part."""
        return {**self.addresses, **self.through}

    @property
    def metrics(self) -> dict[str, str]:
        """Where metrics are read, ``host:port`` by process: Triton's always, the others' where it is observed."""
        return metrics(self.ports)


Table = Callable[[Place, Collection[str]], list[Process]]
"""Makes the processes for a place, those that were asked for."""


def table(place: Place, parts: Collection[str] = EVERYTHING, workers: int = 1) -> list[Process]:
    """Return what runs here. The servers start first, together; Kafka stops last.

    Parameters
    ----------
    place
        Where.
    parts
        Names from `EVERYTHING` and `OBSERVERS`; the others are left out.
    workers
        How many processes segment images: ``stage-segment``, ``stage-segment-2`` and so on.
    """
    servers = [make(place) for name, make in _SERVERS.items() if name in parts]
    return [*servers, *programs(place, chosen(parts, workers))]


def chosen(parts: Collection[str], workers: int) -> dict[str, tuple[str, ...]]:
    """Return the Python programs that were asked for, by name, each worker with a name of its own.

    Parameters
    ----------
    parts, workers
        See `table`.
    """
    wanted = {name: argv for name, argv in PROGRAMS.items() if name in parts}
    if SEGMENT in wanted:
        wanted |= {f"{SEGMENT}-{number}": wanted[SEGMENT] for number in range(2, workers + 1)}
    return wanted


def programs(place: Place, modules: Mapping[str, tuple[str, ...]]) -> Iterable[Process]:
    """Make the processes of Python modules: the stages, the inbox, the API and the backlog exporter.

    Parameters
    ----------
    place
        Where they run.
    modules
        By name, a module and its arguments.
    """
    for name, arguments in modules.items():
        heartbeat = place.state.run / f"{name}.ready"
        variables = {**environment(place.seen, place.state.keys()), "MONOLAYER_HEARTBEAT": str(heartbeat)}
        if name in place.metrics:
            variables["MONOLAYER_METRICS"] = place.metrics[name]
        if name == "api":
            variables["MONOLAYER_PAGE"] = str(page.installed(place.cache))
        yield Process(
            name=name,
            argv=(sys.executable, "-m", *arguments),
            probe=_probe(place, name, heartbeat),
            log=place.state.log(name),
            environment=_marked(place, variables | FRUGAL | {"PYTHONUNBUFFERED": "1"}),
            before=partial(heartbeat.unlink, missing_ok=True),
            start=1,
            stop=0,
            stop_seconds=3.0 if name == "api" else 7.5,
            nice=COMPUTING if name.startswith(SEGMENT) else 0,
        )


def _probe(place: Place, name: str, heartbeat: Path) -> Callable[[], None]:
    if name == "api":
        return probes.http_answers(place.addresses["api"], _HEALTH)
    if name == "backlog":
        return probes.http_answers(f"http://{place.metrics[name]}", "/metrics")
    return probes.heart_beats(heartbeat)


def _kafka(place: Place) -> Process:
    folder, port = place.state.folder / "kafka", place.ports["kafka"]
    argv = kafka.command(kafka.installed(place.cache), folder, port, place.ports["kafka-controller"])
    return Process(
        name="kafka",
        argv=tuple(argv),
        probe=probes.kafka_answers(place.addresses["kafka"]),
        log=place.state.log("kafka"),
        environment=_marked(place, {}),
        stop=2,
    )


def _s3(place: Place) -> Process:
    keys, installed, folder = place.state.keys(), golang.installed(s3.SERVER, place.cache), place.state.folder / "s3"
    return Process(
        name="s3",
        argv=tuple(s3.command(installed, folder, place.ports["s3"], place.host)),
        probe=probes.s3_answers(place.addresses["s3"], keys),
        log=place.state.log("s3"),
        environment=_marked(place, s3.variables(keys)),
        before=partial(s3.take_up, folder),
        stop=1,
    )


def _triton(place: Place) -> Process:
    from inference.models import shipped_models, write_triton_entry

    repository, installed = place.state.folder / "triton" / "repository", triton.installed(place.cache)
    models, instances = shipped_models().values(), min(max(2, os.cpu_count() or 2), _MOST_INSTANCES)
    remove(repository)
    for model in models:
        write_triton_entry(model, repository, instances=instances)
    memory = f"monolayer-{place.ports['triton']}-"
    return Process(
        name="triton",
        argv=tuple(triton.command(installed, repository, place.ports, memory)),
        probe=probes.models_answer(place.addresses["triton"], models, instances),
        log=place.state.log("triton"),
        environment=_marked(place, triton.variables(installed)),
        before=partial(triton.forget_shared_memory, memory),
        stop=1,
        probe_seconds=15.0,
    )


def _victoriametrics(place: Place) -> Process:
    name, port = "victoriametrics", place.ports["victoriametrics"]
    installed, folder = golang.installed(victoriametrics.SERVER, place.cache), place.state.folder / name
    targets = {**place.metrics, name: f"127.0.0.1:{port}"}
    return Process(
        name=name,
        argv=tuple(victoriametrics.command(installed, folder, port, targets, place.addresses.get("vmalert", ""))),
        probe=probes.http_answers(place.addresses["victoriametrics"], "/api/v1/query?query=1"),
        log=place.state.log(name),
        environment=_marked(place, victoriametrics.VARIABLES),
        start=1,  # who watches keeps nobody waiting
        stop=1,
    )


def _vmalert(place: Place) -> Process:
    installed, seen = golang.installed(vmalert.SERVER, place.cache), place.addresses
    return Process(
        name="vmalert",
        argv=tuple(vmalert.command(installed, place.ports["vmalert"], seen["victoriametrics"])),
        probe=probes.http_answers(seen["vmalert"], "/api/v1/alerts"),
        log=place.state.log("vmalert"),
        environment=_marked(place, vmalert.VARIABLES),
        start=1,
        stop=0,  # before VictoriaMetrics, which keeps what it has found
    )


def _jaeger(place: Place) -> Process:
    installed = golang.installed(jaeger.SERVER, place.cache)
    return Process(
        name="jaeger",
        argv=tuple(jaeger.command(installed, place.state.folder / "jaeger", place.ports)),
        probe=probes.http_answers(place.addresses["jaeger"], "/api/v3/services"),
        log=place.state.log("jaeger"),
        environment=_marked(place, jaeger.VARIABLES),
        start=1,
        stop=1,  # the programs' last spans come while they stop
    )


_SERVERS: Mapping[str, Callable[[Place], Process]] = {
    "kafka": _kafka,
    "s3": _s3,
    "triton": _triton,
    "victoriametrics": _victoriametrics,
    "vmalert": _vmalert,
    "jaeger": _jaeger,
}


def _marked(place: Place, variables: Mapping[str, str]) -> dict[str, str]:
    return {MARK: str(place.state.folder), **variables}
