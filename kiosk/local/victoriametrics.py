"""VictoriaMetrics: scrapes the metrics of all that runs here, keeps them for some days and draws them."""

from collections.abc import Mapping
from pathlib import Path

from kiosk.local import golang
from kiosk.local.state import write_json
from observability.dashboards import viewer
from observability.dashboards.collection import DASHBOARDS

SERVER = golang.Program(
    "victoria-metrics",
    "github.com/VictoriaMetrics/VictoriaMetrics",
    "v1.148.8",
    "./app/victoria-metrics",
    needs_bytes=2_000_000_000,
)
SCRAPE_SECONDS = 5
_FLAGS = (
    "-retentionPeriod=7d",
    "-search.latencyOffset=1s",  # what is newer is left out of answers; its default, 30 s, hides what just happened
    "-memory.allowedBytes=64MiB",  # its caches; else they may take 60 % of the machine
    "-loggerLevel=WARN",
    "-promscrape.suppressScrapeErrorsDelay=1m",  # a process that restarts is no news; `up` tells
)
VARIABLES: Mapping[str, str] = {"GOMAXPROCS": "2"}
"""It keeps buffers for each processor that it uses."""


def command(binary: Path, folder: Path, port: int, targets: Mapping[str, str], alerts: str = "") -> list[str]:
    """Write down what is scraped and the dashboards, and return how the server is started.

    Parameters
    ----------
    binary
        Where `SERVER` is installed.
    folder
        Its part of the state folder: data, and dashboards as files that it reads anew for every page.
    port
        Where it listens on 127.0.0.1.
    targets
        Where the metrics of each process are, ``host:port`` by the process's name.
    alerts
        The address of whoever judges the alert rules; its pages are then shown here as well.

    Returns
    -------
    list of str
        The argv.
    """
    dashboards, scraped = folder / "dashboards", folder / "scraped.json"
    viewer.write(DASHBOARDS, dashboards)
    write_json(scraped, scraping(targets))
    return [
        str(binary),
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={folder / 'data'}",
        f"-promscrape.config={scraped}",
        f"-vmui.customDashboardsPath={dashboards}",
        *([f"-vmalert.proxyURL={alerts}"] if alerts else ()),
        *_FLAGS,
    ]


def scraping(targets: Mapping[str, str]) -> dict[str, object]:
    """Return what is scraped in Prometheus' words; each sample carries the name of its process.

    Parameters
    ----------
    targets
        See `command`.
    """
    static = [{"targets": [address], "labels": {"process": name}} for name, address in sorted(targets.items())]
    everything = {
        "job_name": "monolayer",
        "static_configs": static,
        "honor_labels": True,  # `job` is one of ours where a process tells of jobs
    }
    return {"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"}, "scrape_configs": [everything]}
