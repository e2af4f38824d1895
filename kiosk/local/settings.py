"""Where the parts are, as the environment variables that every process and client reads."""

import os
import socket
from collections.abc import Mapping

from kiosk.local.cache import LocalError
from kiosk.local.ports import OBSERVERS
from kiosk.local.s3 import Keys

BUCKET = "monolayer"
HERE = "127.0.0.1"
"""Where everything listens, unless it is to be reached from elsewhere."""
_OBSERVED = {"MONOLAYER_TRACES": "traces", "MONOLAYER_JAEGER": "jaeger", "MONOLAYER_PROMETHEUS": "victoriametrics"}
"""Where spans are sent (OTLP over gRPC), and where traces and metrics are asked for, if there is such a part."""
_MOST_WORKERS = 16  # the partitions of a topic: further ones would have nothing to do


def segment_workers() -> int:
    """Return how many processes segment images here: ``MONOLAYER_SEGMENT_WORKERS``, usually 1.

    Raises
    ------
    LocalError
        It is no number from 1 to 16.
    """
    said = os.environ.get("MONOLAYER_SEGMENT_WORKERS") or "1"
    if not said.isdigit() or not 1 <= int(said) <= _MOST_WORKERS:
        raise LocalError(f"MONOLAYER_SEGMENT_WORKERS is {said!r}, and has to be a number from 1 to {_MOST_WORKERS}.")
    return int(said)


def check_prices() -> None:
    """Read the price file that ``MONOLAYER_PRICES`` names, if it names one, before anything starts.

    Raises
    ------
    LocalError
        It can't be used.
    """
    from observability.cost import BadPrices, read

    named = os.environ.get("MONOLAYER_PRICES")
    try:
        if named:
            read(named)
    except BadPrices as error:
        raise LocalError(f"MONOLAYER_PRICES: {error}.") from None


def has_display() -> bool:
    """Tell whether a browser could show a window; one for the terminal would take it from whoever types there."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_host(host: str) -> None:
    """Try whether the API could listen there.

    Parameters
    ----------
    host
        An address of this machine, or its name. One that stands for all of them can't be told to clients.

    Raises
    ------
    LocalError
        It could not.
    """
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
            found = probe.getsockname()[0]
    except OSError as error:
        raise LocalError(f"Nothing can listen on {host!r}: {error.strerror or error}.") from None
    if found == "0.0.0.0":
        raise LocalError("Name the one address that others reach this machine by: uploads are sent there as well.")


def addresses(ports: Mapping[str, int], host: str = HERE) -> dict[str, str]:
    """Return where a person or a program finds each part.

    Parameters
    ----------
    ports
        From `kiosk.local.ports.choose`.
    host
        Where the API listens, and the S3 server, to which clients send the parts of uploads.
    """
    found = {
        "api": f"http://{host}:{ports['api']}",
        "kafka": f"{HERE}:{ports['kafka']}",
        "s3": f"http://{host}:{ports['s3']}",
        "triton": f"{HERE}:{ports['triton']}",
        "triton_metrics": f"http://{HERE}:{ports['triton-metrics']}/metrics",
    }
    found |= {name: f"http://{HERE}:{ports[name]}" for name in OBSERVERS if name in ports}
    if "otlp" in ports:
        found["traces"] = f"{HERE}:{ports['otlp']}"
    return found


def environment(addresses: Mapping[str, str], keys: Keys) -> dict[str, str]:
    """Return the variables that tell a process of Monolayer where everything is.

    Parameters
    ----------
    addresses
        From `addresses`.
    keys
        The S3 server's.
    """
    return {
        "MONOLAYER_KAFKA": addresses["kafka"],
        "MONOLAYER_S3_ENDPOINT": addresses["s3"],
        "MONOLAYER_S3_ACCESS_KEY": keys.access,
        "MONOLAYER_S3_SECRET_KEY": keys.secret,
        "MONOLAYER_BUCKET": BUCKET,
        "MONOLAYER_TRITON": addresses["triton"],
        "MONOLAYER_API": addresses["api"],
        **{variable: addresses[part] for variable, part in _OBSERVED.items() if part in addresses},
    }


def aws_environment(addresses: Mapping[str, str], keys: Keys) -> dict[str, str]:
    """Return the variables that other S3 clients read.

    Parameters
    ----------
    addresses
        From `addresses`.
    keys
        The S3 server's.
    """
    return {
        "AWS_ENDPOINT_URL": addresses["s3"],
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
