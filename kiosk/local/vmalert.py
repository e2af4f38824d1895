"""vmalert: judges the alert rules by what VictoriaMetrics has scraped; its page is shown through VictoriaMetrics."""

from collections.abc import Mapping
from pathlib import Path

import observability
from kiosk.local import golang, victoriametrics

SERVER = golang.Program(
    "vmalert",
    victoriametrics.SERVER.module,
    victoriametrics.SERVER.version,
    "./app/vmalert",
    needs_bytes=2_000_000_000,
)
RULES = Path(observability.__file__).parent / "alerts" / "monolayer.yaml"
"""The rules that Prometheus reads in a cluster, as they are."""
_FLAGS = (
    "-evaluationInterval=15s",
    "-rule.evalDelay=1s",  # as VictoriaMetrics' own delay; the default is half a minute
    "-notifier.blackhole",  # here people look, and nobody is written to
    "-memory.allowedBytes=16MiB",
    "-loggerLevel=WARN",
)
VARIABLES: Mapping[str, str] = victoriametrics.VARIABLES


def command(binary: Path, port: int, metrics: str, rules: Path = RULES) -> list[str]:
    """Return how the server is started.

    Parameters
    ----------
    binary
        Where `SERVER` is installed.
    port
        Where it listens on 127.0.0.1.
    metrics
        VictoriaMetrics' address: it is asked there, and since when an alert fires is kept there over a restart.
    rules
        What to judge.

    Returns
    -------
    list of str
        The argv.
    """
    return [
        str(binary),
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-rule={rules}",
        f"-datasource.url={metrics}",
        f"-remoteWrite.url={metrics}",
        f"-remoteRead.url={metrics}",
        f"-external.url={metrics}",
        *_FLAGS,
    ]
