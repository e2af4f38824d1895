"""Jaeger: takes the traces of all that runs here, keeps them for some days and finds them again."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from kiosk.local import golang

SERVER = golang.Program(
    "jaeger", "github.com/jaegertracing/jaeger", "v1.76.0", "./cmd/jaeger", needs_bytes=4_500_000_000
)
VARIABLES: Mapping[str, str] = {"GOMEMLIMIT": "512MiB", "GOMAXPROCS": "2"}
"""Beyond that much memory Go frees what it can before it takes more."""
PORTS = ("jaeger", "jaeger-grpc", "jaeger-metrics", "otlp", "otlp-http")
"""Of its answers over HTTP and gRPC, of its metrics, and where spans come in."""


def command(binary: Path, folder: Path, ports: Mapping[str, int]) -> list[str]:
    """Write the server's settings, and return how it is started.

    Parameters
    ----------
    binary
        Where `SERVER` is installed.
    folder
        Its part of the state folder: settings and spans.
    ports
        With those of `PORTS`, on 127.0.0.1.

    Returns
    -------
    list of str
        The argv.
    """
    keys, values, settings = folder / "keys", folder / "values", folder / "jaeger.yaml"
    for made in (keys, values):
        made.mkdir(parents=True, exist_ok=True)
    template = Template(files(__package__).joinpath("jaeger.yaml.tpl").read_text())
    places = {name.replace("-", "_"): str(ports[name]) for name in PORTS}
    settings.write_text(template.substitute(places, keys=keys, values=values))
    return [str(binary), "--config", str(settings)]
