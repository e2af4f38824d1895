import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner

from kiosk.cli import app
from kiosk.local.leftovers import alive
from kiosk.local.stack import Local, NotStarted
from kiosk.local.state import State

WORKS = """
    import os, pathlib, time
    print("begun at", os.environ["MONOLAYER_KAFKA"], flush=True)
    while True:
        pathlib.Path(os.environ["MONOLAYER_HEARTBEAT"]).touch()
        time.sleep(0.1)
"""
BREAKS = "raise SystemExit('the model is too large')"
SERVE = """
    import sys
    from pathlib import Path
    from kiosk.local.ports import USUAL
    from kiosk.local.processes import programs
    from kiosk.local.serve import AlreadyRunning, serve
    from kiosk.local.state import State
    sys.path.insert(0, sys.argv[1])
    modules = {name: (name.replace("-", "_"),) for name in sys.argv[2:]}
    try:
        serve(State(Path(sys.argv[1]) / "state"), Path(sys.argv[1]) / "cache", modules, dict.fromkeys(USUAL, 0),
              lambda place, parts: list(programs(place, modules)), lambda place, parts: None)
    except AlreadyRunning as error:
        sys.exit(str(error))
"""


@contextmanager
def standing_in(folder: Path, **stages: str) -> Iterator[tuple[Local, "subprocess.Popen[str]"]]:
    """Run a supervisor whose stages are small scripts."""
    for name, code in stages.items():
        (folder / f"{name}.py").write_text(dedent(code))
    local = Local(State(folder / "state"), folder)
    argv = [sys.executable, "-c", dedent(SERVE), str(folder), *(name.replace("_", "-") for name in stages)]
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    with subprocess.Popen(argv, env=os.environ | paths, stderr=subprocess.PIPE, text=True) as supervisor:
        try:
            wait_until(lambda: local.status()["running"] or supervisor.poll() is not None)
            yield local, supervisor
        finally:
            supervisor.kill()
            local.stop()


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_stages_get_their_settings_work_and_stop(tmp_path: Path) -> None:
    with standing_in(tmp_path, stage_unzip=WORKS, inbox=WORKS) as (local, supervisor):
        local.wait(20)
        status = local.status()
        assert [process["state"] for process in status["processes"]] == ["ready", "ready"]
        assert all(process["rss_mb"] > 1 for process in status["processes"])
        kafka = status["addresses"]["kafka"]
        assert local.state.log("inbox").read_text() == f"begun at {kafka}\n"
        assert local.stop() == ["stage-unzip", "inbox"]
        assert supervisor.wait(5) == 0
        assert local.stop() == []
        assert [process["state"] for process in local.status()["processes"]] == ["stopped", "stopped"]


def test_a_part_that_does_not_come_is_named_with_its_last_words(tmp_path: Path) -> None:
    with (
        standing_in(tmp_path, stage_unzip=WORKS, stage_segment=BREAKS) as (local, _),
        pytest.raises(
            NotStarted, match=r"stage-segment did not start: ended with exit code 1\n(.*\n)*the model is too"
        ),
    ):
        local.wait(20)


def test_a_second_supervisor_for_the_same_state_is_refused(tmp_path: Path) -> None:
    with standing_in(tmp_path, inbox=WORKS) as (local, _):
        local.wait(20)
        before = local.status()["processes"][0]["pid"]
        argv = [sys.executable, "-c", dedent(SERVE), str(tmp_path), "inbox"]
        second = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (second.returncode, "in use by another" in second.stderr) == (1, True)
        assert local.status()["processes"][0]["pid"] == before


def test_after_a_kill_of_the_supervisor_the_next_start_uses_the_same_ports(tmp_path: Path) -> None:
    with standing_in(tmp_path, inbox=WORKS) as (local, supervisor):
        local.wait(20)
        addresses = local.status()["addresses"]
        child = local.state.status()["processes"][0]
        supervisor.kill()
        wait_until(lambda: alive(child) is None)
        assert not local.status()["running"]
    with standing_in(tmp_path, inbox=WORKS) as (local, _):
        local.wait(20)
        assert local.status()["addresses"] == addresses


def test_the_ports_of_an_observed_start_are_remembered_over_one_that_is_not(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.make()
    state.remember_ports({"jaeger": 20123})
    with standing_in(tmp_path, inbox=WORKS) as (local, _):
        local.wait(20)
        assert local.state.remembered_ports()["jaeger"] == 20123
        assert "jaeger" not in local.status()["addresses"]


def test_a_stage_that_stops_giving_signs_of_life_is_not_ready(tmp_path: Path) -> None:
    with standing_in(tmp_path, inbox=WORKS) as (local, _):
        local.wait(20)
        heartbeat = local.state.run / "inbox.ready"
        os.kill(local.status()["processes"][0]["pid"], signal.SIGSTOP)
        os.utime(heartbeat, (1, 1))
        wait_until(lambda: local.status()["processes"][0]["restarts"] == 1)
        local.wait(20)
        assert "sign of life" in local.status()["processes"][0]["error"]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path))
    return tmp_path


def test_where_nothing_runs_the_commands_say_so(nowhere: Path) -> None:
    run = CliRunner().invoke
    assert "not running" in run(app, ["status"]).output
    assert "Nothing was running" in run(app, ["down"]).output
    assert "monolayer up" in run(app, ["env"]).output
    assert "There is no log of 'kafka'" in run(app, ["logs", "kafka"]).output


def test_up_says_that_it_is_running_already_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path / "state"))
    with standing_in(tmp_path, inbox=WORKS) as (local, _):
        local.wait(20)
        answer = CliRunner().invoke(app, ["up", "--detach"])
        assert answer.exit_code == 0
        assert "already running" in answer.output
        assert local.status()["addresses"]["api"] in answer.output


def test_env_is_read_by_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path / "state"))
    with standing_in(tmp_path, inbox=WORKS) as (local, _):
        local.wait(20)
        printed = CliRunner().invoke(app, ["env"]).output
        script = f'{printed}\nprintf %s "$MONOLAYER_S3_SECRET_KEY $AWS_ENDPOINT_URL"'
        shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert shell.stdout == f"{local.keys().secret} {local.status()['addresses']['s3']}"


def test_the_logs_of_all_are_shown_with_their_names(nowhere: Path) -> None:
    (nowhere / "logs").mkdir()
    for name in ("kafka", "s3"):
        (nowhere / "logs" / f"{name}.log").write_text("a\nb\n")
    assert CliRunner().invoke(app, ["logs", "-n", "1"]).output == "kafka: b\ns3: b\n"
    assert CliRunner().invoke(app, ["logs", "s3"]).output == "a\nb\n"
