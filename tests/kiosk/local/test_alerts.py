"""What fires is told by `monolayer status`, and judged by the same rules that Prometheus reads."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk.cli import app
from kiosk.local import golang, vmalert
from kiosk.local.alerts import Alert, firing
from kiosk.local.cache import cache_folder
from kiosk.local.leftovers import own_record
from kiosk.local.state import State

BEGUN = 1_795_852_800.0
NOBODY = "http://127.0.0.1:1"


def told(name: str, severity: str, state: str) -> dict[str, object]:
    """An alert as vmalert and Prometheus tell it."""
    labels, said = {"alertname": name, "severity": severity, "lane": "bulk"}, {"summary": f"{name}!"}
    return {"state": state, "labels": labels, "annotations": said, "activeAt": "2026-11-28T08:00:00Z"}


ALERTS = [told("Behind", "ticket", "firing"), told("Soon", "page", "pending"), told("Gone", "page", "firing")]


@pytest.fixture
def judge() -> Iterator[str]:
    """The address of somebody who tells `ALERTS`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "success", "data": {"alerts": ALERTS}}).encode()
            self.send_response(200 if self.path == "/api/v1/alerts" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bool], Callable[..., str]]:
    """`monolayer status` where alerts are judged at an address, or where nothing is observed."""
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path))
    state = State(tmp_path)
    state.make()

    def pretend(address: str, observed: bool = True) -> Callable[..., str]:
        found = {"supervisor": own_record(), "prepared": True, "observed": observed, "error": None, "processes": []}
        state.write_status({**found, "addresses": {"vmalert": address} if observed else {}})
        return lambda *arguments: CliRunner().invoke(app, ["status", *arguments]).stdout

    return pretend


def test_of_the_alerts_only_those_that_fire_are_told_the_gravest_first(judge: str) -> None:
    assert firing(judge) == [Alert("Gone", "page", "Gone!", BEGUN), Alert("Behind", "ticket", "Behind!", BEGUN)]


def test_status_tells_what_fires(judge: str, status: Callable[[str], Callable[..., str]]) -> None:
    run = status(judge)
    assert [line.split(",")[0] for line in run().splitlines() if "!" in line] == ["page: Gone!", "ticket: Behind!"]
    assert [alert["name"] for alert in json.loads(run("--json"))["alerts"]] == ["Gone", "Behind"]


def test_where_nobody_can_tell_status_says_so_instead_of_nothing(status: Callable[[str], Callable[..., str]]) -> None:
    run = status(NOBODY)
    assert "Which alerts fire can't be told" in run()
    assert json.loads(run("--json"))["alerts"] is None


def test_unobserved_status_says_nothing_of_alerts(status: Callable[[str, bool], Callable[..., str]]) -> None:
    run = status("", False)
    assert "alert" not in run()
    assert json.loads(run("--json"))["alerts"] is None


@pytest.mark.integration
@pytest.mark.observe
def test_vmalert_understands_the_rules_and_every_word_about_them() -> None:
    binary = golang.install(vmalert.SERVER, cache_folder(), print)
    ran = subprocess.run([binary, f"-rule={vmalert.RULES}", "-dryRun"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
