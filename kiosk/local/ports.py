"""Which ports the parts listen on: the usual ones where they are free, and the same ones the next time."""

import fcntl
import random
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

USUAL: Mapping[str, int] = {
    "kafka": 9092,
    "kafka-controller": 9093,
    "s3": 9000,
    "triton-http": 8000,
    "triton": 8001,  # gRPC, what the stages talk to
    "triton-metrics": 8002,
    "api": 8080,
}
OBSERVERS: Mapping[str, Mapping[str, int]] = {
    "victoriametrics": {"victoriametrics": 8428},
    "vmalert": {"vmalert": 8880},
    "jaeger": {"jaeger": 16686, "jaeger-grpc": 16685, "jaeger-metrics": 8888, "otlp": 4317, "otlp-http": 4318},
    "backlog": {},
}
"""The parts that watch the others, and their ports."""
_METRICS = "-metrics"
"""So end the names of ports at which metrics are read; what is before it is whose."""
_OTHERS = range(20000, 32000)  # below the ports that the system hands to outgoing connections


def wanted(parts: Collection[str], programs: Iterable[str]) -> dict[str, int]:
    """Return the ports that a start needs, by name: the usual ones, and where it is observed those for that.

    Parameters
    ----------
    parts
        What is to run.
    programs
        The Python programs among it, each of which then has a port at which its metrics are read: any that is free.

    Returns
    -------
    dict of str to int
        The usual port, or 0 for any; what `choose` takes.
    """
    found = dict(USUAL)
    for observer in OBSERVERS.keys() & set(parts):
        found.update(OBSERVERS[observer])
        found.update({f"{name}{_METRICS}": 0 for name in programs})
    return found


def metrics(ports: Mapping[str, int]) -> dict[str, str]:
    """Return where metrics are read, ``host:port`` by the name of the process.

    Parameters
    ----------
    ports
        From `choose`.
    """
    readable = {name.removesuffix(_METRICS): port for name, port in ports.items() if name.endswith(_METRICS)}
    return {name: f"127.0.0.1:{port}" for name, port in readable.items()}


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of 127.0.0.1 now.

    Parameters
    ----------
    port
        The port to try.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just left counts as free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Claims(ExitStack):
    """Ports that are this process's until it lets go or ends, also while nothing listens on them yet.

    Parameters
    ----------
    folder
        Shared with whoever else might want them; an empty file for each stays there.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def take(self, port: int) -> bool:
        """Claim a port; whether it was to be had.

        Parameters
        ----------
        port
            A port of 127.0.0.1.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self.enter_context((self._folder / str(port)).open("a"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return is_free(port)


def choose(
    remembered: Mapping[str, int], usual: Mapping[str, int] = USUAL, take: Callable[[int], bool] = is_free
) -> dict[str, int]:
    """Pick a free port on 127.0.0.1 for every part.

    Parameters
    ----------
    remembered
        What was picked the last time; wins where it is still free.
    usual
        What is picked else; 0 stands for any.
    take
        Tells whether a port is to be had, and takes it; usually only whether it is free.

    Returns
    -------
    dict of str to int
        A port for each name of `usual`, no two the same.
    """
    chosen: dict[str, int] = {}
    for name, port in usual.items():
        taken = set(chosen.values())
        wishes = [wish for wish in (remembered.get(name), port) if wish and wish not in taken]
        chosen[name] = next(filter(take, wishes), None) or other(taken, take)
    return chosen


def other(taken: set[int], take: Callable[[int], bool] = is_free) -> int:
    """Return any free port that is not in `taken`.

    Parameters
    ----------
    taken
        Ports that are spoken for though nothing listens yet.
    take
        See `choose`.
    """
    while True:
        port = random.SystemRandom().choice(_OTHERS)
        if port not in taken and take(port):
            return port
