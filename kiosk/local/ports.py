"""Which ports the parts listen on: the usual ones where they are free, and the same ones the next time."""

import random
import socket
from collections.abc import Mapping

USUAL: Mapping[str, int] = {
    "kafka": 9092,
    "kafka-controller": 9093,
    "s3": 9000,
    "triton-http": 8000,
    "triton": 8001,  # gRPC, what the stages talk to
    "triton-metrics": 8002,
    "api": 8080,
}
_OTHERS = range(20000, 32000)  # below the ports that the system hands to outgoing connections


def choose(remembered: Mapping[str, int], usual: Mapping[str, int] = USUAL) -> dict[str, int]:
    """Pick a free port on 127.0.0.1 for every part.

    Parameters
    ----------
    remembered
        What was picked the last time; wins where it is still free.
    usual
        What is picked else; 0 stands for any.

    Returns
    -------
    dict of str to int
        A port for each name of `usual`, no two the same.
    """
    chosen: dict[str, int] = {}
    for name, port in usual.items():
        taken = set(chosen.values())
        wishes = [wish for wish in (remembered.get(name), port) if wish and wish not in taken]
        chosen[name] = next(filter(is_free, wishes), None) or other(taken)
    return chosen


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


def other(taken: set[int]) -> int:
    """Return any free port that is not in `taken`.

    Parameters
    ----------
    taken
        Ports that are spoken for though nothing listens yet.
    """
    while True:
        port = random.SystemRandom().choice(_OTHERS)
        if port not in taken and is_free(port):
            return port
