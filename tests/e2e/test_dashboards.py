"""Every query of every dashboard, asked of the real servers after a load: it is understood, and has an answer."""

import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from kiosk.local.ports import other
from observability.dashboards.collection import DASHBOARDS
from observability.dashboards.panels import Query
from observability.dashboards.viewer import asked
from tests.e2e.system import System, until
from tests.e2e.test_main_job import write_fields

pytestmark = [pytest.mark.e2e, pytest.mark.observe]
QUERIES = tuple(
    dict.fromkeys(query for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries)
)
SILENT_HERE = {
    "before any stage had more to do than it could do at once",
    "before the first sweep",
    "before there was a queue",
    "on one machine",
    "where no price file is named (MONOLAYER_PRICES)",
    "where there is no DCGM exporter",
    "where there is no GPU",
    "while none does",
    "while none fails",
    "while nothing fails",
}
"""Why a query may have no answer in this test; whatever gives another reason must have one."""
IMAGES, SIDE = 48, 512
"""So many that a job is open for longer than it is between two scrapes."""
SECONDS = 90.0


@contextmanager
def prometheus(config: Path, data: Path) -> Iterator[str]:
    """The real one, on the address that is given, scraping what VictoriaMetrics scrapes."""
    port = other(set())
    flags = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={data}", "--log.level=error"]
    process = subprocess.Popen([shutil.which("prometheus") or "", f"--config.file={config}", *flags])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def answered(http: httpx.Client, address: str, query: str, begun: float) -> bool:
    """Whether there is a number at any time since then."""
    asked_for = {"query": query, "start": begun, "end": time.time(), "step": 5}
    answer = http.get(f"{address}/api/v1/query_range", params=asked_for)
    assert answer.is_success, f"{query}: {answer.text}"
    series = answer.json()["data"]["result"]
    return any(math.isfinite(float(value)) for each in series for _, value in each["values"])


def scraped(address: str) -> bool:
    """Whether it has seen all that runs here, before the load."""
    try:
        answer = httpx.get(f"{address}/api/v1/query", params={"query": "min(up)"}).json()
    except httpx.TransportError:
        return False
    return any(each["value"][1] == "1" for each in answer["data"]["result"])


@pytest.fixture(scope="module")
def unanswered(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[Query]]]:
    """By server, the queries that had no answer, though images went through until all that should have had one."""
    folder = tmp_path_factory.mktemp("dashboards")
    watching = {"victoriametrics": system.status()["addresses"]["victoriametrics"]}
    if shutil.which("prometheus") is None:
        yield load_until_answered(system, folder, watching)
        return
    with prometheus(system.state / "victoriametrics" / "scraped.json", folder / "data") as address:
        yield load_until_answered(system, folder, {**watching, "prometheus": address})


def load_until_answered(system: System, folder: Path, watching: dict[str, str]) -> dict[str, set[Query]]:
    for address in watching.values():
        until(lambda address=address: scraped(address))
    images, begun = write_fields(folder / "fields", IMAGES, SIDE), time.time()
    (images / "no image.tif").write_bytes(b"hello")
    silent = {name: set(QUERIES) for name in watching}
    with httpx.Client(timeout=20) as http:
        while any(query.silent not in SILENT_HERE for each in silent.values() for query in each):
            if time.time() > begun + SECONDS:
                break
            system.submit(images, "--mark", str(time.time()), code=2)
            silent = {
                name: {query for query in each if not answered(http, watching[name], asked(query), begun)}
                for name, each in silent.items()
            }
    return silent


@pytest.mark.parametrize("server", ["victoriametrics", "prometheus"])
def test_after_a_load_every_query_has_an_answer_or_says_why_not(server: str, unanswered: dict[str, set[Query]]) -> None:
    if server not in unanswered:
        pytest.skip("Prometheus judges the queries too: install prometheus (Debian, Ubuntu)")
    assert not {query.promql for query in unanswered[server] if query.silent not in SILENT_HERE}
