import json
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.local.leftovers import own_record
from kiosk.local.ports import USUAL, wanted
from kiosk.local.processes import OBSERVED
from kiosk.local.settings import addresses
from kiosk.local.state import State
from tests.kiosk.test_cli import monolayer

Running = Callable[[bool], None]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Makes it look as if this process were a Monolayer's supervisor, observed or not."""
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path))
    state = State(tmp_path)
    state.make()

    def pretend(observed: bool) -> None:
        listening = addresses(wanted(OBSERVED, []) if observed else USUAL)
        found = {"supervisor": own_record(), "prepared": True, "observed": observed, "addresses": listening}
        state.write_status({**found, "error": None, "processes": []})

    return pretend


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to open; there is a display."""
    found: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", found.append)
    return found


@pytest.mark.parametrize(
    ("what", "address"),
    [
        ([], "http://127.0.0.1:8080/"),
        (["page"], "http://127.0.0.1:8080/"),
        (["dashboards"], "http://127.0.0.1:8428/vmui/#/dashboards"),
        (["alerts"], "http://127.0.0.1:8428/vmalert/alerts"),
    ],
)
def test_open_prints_the_address_and_shows_it(
    running: Running, opened: list[str], what: list[str], address: str
) -> None:
    running(True)
    assert monolayer("open", *what).stdout == f"{address}\n"
    assert opened == [address]


def test_without_a_display_the_address_is_all_there_is(
    running: Running, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    running(True)
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert monolayer("open", "dashboards").exit_code == 0
    assert opened == []


def test_open_traces_says_what_there_is_and_opens_no_placeholder(running: Running, opened: list[str]) -> None:
    running(True)
    result = monolayer("open", "traces")
    assert result.stdout == "http://127.0.0.1:16686/api/v3/services\n"
    assert "own page is not in this build" in result.stderr
    assert "http://127.0.0.1:16686/api/v3/traces/TRACE_ID" in result.stderr
    assert opened == []


@pytest.mark.parametrize("what", ["dashboards", "alerts", "traces"])
def test_unobserved_there_are_no_dashboards_and_no_traces_and_it_says_how_to_have_them(
    running: Running, opened: list[str], what: str
) -> None:
    running(False)
    result = monolayer("open", what)
    assert result.exit_code == 1
    assert result.stderr == (
        f"There are no {what}: Monolayer runs unobserved. Start it again: `monolayer down`, then `monolayer up "
        "--observe`.\n"
    )
    assert opened == []


def test_where_nothing_runs_there_is_nothing_to_open(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path))
    result = monolayer("open")
    assert (result.exit_code, result.stderr) == (1, "Monolayer is not running; start it with `monolayer up`.\n")


def test_what_runs_unobserved_is_not_observed_by_another_up(running: Running) -> None:
    running(False)
    result = monolayer("up", "--observe")
    assert result.exit_code == 1
    assert "already running, unobserved" in result.stderr and "`monolayer down`" in result.stderr
    assert monolayer("up").stdout.startswith("Monolayer is already running.\n")


@pytest.mark.parametrize("again", [["up"], ["up", "--observe"]])
def test_what_runs_observed_stays_so_whatever_is_said_to_up(running: Running, again: list[str]) -> None:
    running(True)
    result = monolayer(*again)
    assert result.exit_code == 0
    assert "victoriametrics  http://127.0.0.1:8428\n" in result.stdout


@pytest.mark.parametrize("observed", [True, False])
def test_status_says_whether_it_is_observed(running: Running, observed: bool) -> None:
    running(observed)
    assert json.loads(monolayer("status", "--json").stdout)["observed"] is observed


def test_env_names_where_traces_go_only_when_observed(running: Running) -> None:
    running(False)
    assert "MONOLAYER_TRACES" not in json.loads(monolayer("env", "--json").stdout)
    running(True)
    assert json.loads(monolayer("env", "--json").stdout)["MONOLAYER_TRACES"] == "127.0.0.1:4317"
