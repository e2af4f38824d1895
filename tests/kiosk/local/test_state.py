import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest

from kiosk.local import cache, jars, kafka, ports, s3, triton
from kiosk.local.cache import LocalError, once
from kiosk.local.leftovers import MARK, alive, kill_leftovers
from kiosk.local.logs import follow, last_lines
from kiosk.local.process import bound_to_parent
from kiosk.local.serve import AlreadyRunning, hold
from kiosk.local.state import State, read_json, rotate, state_folder, write_json

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.make()
    return made


@pytest.fixture
def sleeper(state: State) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP, start_new_session=True, env={MARK: str(state.folder)})
    yield process
    process.kill()
    process.wait()


def record(process: subprocess.Popen[bytes]) -> dict[str, object]:
    return {"name": "sleeper", "pid": process.pid, "created": psutil.Process(process.pid).create_time()}


def test_a_taken_port_is_passed_over_and_the_next_start_uses_the_same_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        usual = {"a": taken.getsockname()[1], "b": 0}
        first = ports.choose({}, usual)
        assert first["a"] != usual["a"]
    assert ports.choose(first, usual) == first


def test_a_port_that_another_claims_is_left_alone_though_nothing_listens_yet(tmp_path: Path) -> None:
    usual = {"a": ports.other(set())}
    with ports.Claims(tmp_path) as theirs:
        with ports.Claims(tmp_path) as ours:
            assert ports.choose({}, usual, ours.take) == usual
            assert ports.choose({}, usual, theirs.take) != usual
        assert ports.choose({}, usual, theirs.take) == usual


def test_no_two_parts_get_the_same_port() -> None:
    port = ports.other(set())
    chosen = ports.choose({}, {"a": port, "b": port})
    assert chosen["a"] == port != chosen["b"]


def test_a_remembered_port_that_is_taken_now_is_given_up_for_the_usual_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        usual = ports.other(set())
        assert ports.choose({"a": taken.getsockname()[1]}, {"a": usual}) == {"a": usual}


def test_secrets_are_made_once_and_only_the_user_can_read_them(state: State) -> None:
    assert state.keys() == state.keys()
    assert len(state.keys().secret) >= 40
    assert stat.S_IMODE((state.folder / "secrets.json").stat().st_mode) == 0o600


def test_a_status_that_was_cut_off_reads_as_none(state: State) -> None:
    (state.run / "status.json").write_text('{"processes": [')
    assert state.status() == {}


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    write_json(tmp_path / "a.json", {"a": 2})
    assert read_json(tmp_path / "a.json") == {"a": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_the_state_folder_is_the_named_one_else_that_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLAYER_STATE", "/somewhere")
    assert state_folder() == Path("/somewhere")
    monkeypatch.delenv("MONOLAYER_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert state_folder() == Path("/elsewhere/monolayer")


def test_a_long_log_is_set_aside_and_a_short_one_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    rotate(log)
    log.write_text("0123456789")
    rotate(log, most_bytes=10)
    assert log.exists()
    rotate(log, most_bytes=9)
    assert [path.name for path in tmp_path.iterdir()] == ["kafka.log.1"]


def test_a_log_is_followed_over_its_rotation(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("old\n")
    steps = iter([lambda: append(log, "half "), lambda: None, lambda: begin_anew(log)])
    with closing(follow([log], pause=lambda: next(steps)())) as lines:
        assert next(lines) == ("kafka", "half new")


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def begin_anew(log: Path) -> None:
    log.replace(log.with_suffix(".log.1"))
    log.write_text("new\n")


def test_the_last_lines_of_a_log_that_is_missing_are_none(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "kafka.log", 5) == []
    (tmp_path / "kafka.log").write_text("a\nb\nc\n")
    assert last_lines(tmp_path / "kafka.log", 2) == ["b", "c"]


def test_leftovers_are_killed(state: State, sleeper: subprocess.Popen[bytes]) -> None:
    left = record(sleeper)
    assert kill_leftovers({"processes": [left]}, state.folder) == ["sleeper"]
    assert alive(left) is None


def test_a_process_that_has_a_leftovers_number_by_chance_is_left_alone(
    state: State, sleeper: subprocess.Popen[bytes]
) -> None:
    stranger = record(sleeper) | {"created": 1.0}
    assert alive(stranger) is None
    assert kill_leftovers({"processes": [stranger]}, State(state.folder / "other").folder) == []
    assert sleeper.poll() is None


def test_what_a_dead_process_had_started_is_a_leftover_too(state: State, tmp_path: Path) -> None:
    code = f"import subprocess; print(subprocess.Popen({SLEEP!r}).pid)"
    argv, variables = [sys.executable, "-c", code], {MARK: str(state.folder)}
    with subprocess.Popen(argv, start_new_session=True, env=variables, stdout=subprocess.PIPE) as leader:
        assert leader.stdout
        child = int(leader.stdout.readline())
    assert psutil.Process(child).is_running()
    kill_leftovers({"processes": [{"name": "x", "pid": leader.pid, "created": 1.0}]}, state.folder)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_state_folder_has_one_supervisor(state: State) -> None:
    with hold(state), pytest.raises(AlreadyRunning):
        hold(state)
    hold(state).close()


def test_an_interrupted_build_leaves_nothing_and_is_done_again(tmp_path: Path) -> None:
    def half(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    place = tmp_path / "thing-1"
    with pytest.raises(KeyboardInterrupt):
        once(place, half)
    assert list(tmp_path.iterdir()) == [tmp_path / ".thing-1.lock"]
    assert (once(place, lambda folder: (folder / "whole").touch()) / "whole").exists()
    once(place, half)


def test_what_a_killed_build_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / ".thing-1-abc"
    left.mkdir()
    (left / "protected").mkdir(mode=0o500)
    once(tmp_path / "thing-1", lambda folder: None)
    assert not left.exists()


def _build_slowly(place: Path) -> None:
    once(place, lambda folder: (folder.parent / f"built-{folder.name}").write_text("x"))


def test_two_starts_at_once_build_once(tmp_path: Path) -> None:
    context = get_context("spawn")
    workers = [context.Process(target=_build_slowly, args=(tmp_path / "thing",)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(list(tmp_path.glob("built-*"))) == 1


def test_a_full_disk_is_told_before_the_build_begins(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"GB free.*MONOLAYER_CACHE"):
        once(tmp_path / "thing", lambda folder: None, needs_bytes=10**18)


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="could not be made"):
        once(tmp_path / "file" / "thing", lambda folder: None)


def test_a_jar_with_another_content_is_refused(tmp_path: Path) -> None:
    jar = kafka.locked()[0]
    (tmp_path / jar.file_name).write_bytes(b"something else")
    with pytest.raises(LocalError, match="checksum"):
        jars.check(jar, tmp_path / jar.file_name)


def test_kafkas_own_jars_are_all_of_one_release_and_nothing_is_there_twice() -> None:
    locked = kafka.locked()
    assert {jar.version for jar in locked if jar.group == "org.apache.kafka"} == {kafka.VERSION}
    assert len({jar.artifact for jar in locked}) == len(locked)


def test_s3_keys_are_not_among_the_arguments(state: State) -> None:
    keys = state.keys()
    argv = s3.command(Path("versitygw"), state.folder / "s3", 9000)
    assert not {keys.access, keys.secret} & set(argv)


def test_s3_attributes_go_beside_the_objects_where_the_file_system_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "keeps_attributes", lambda folder: False)
    assert "--sidecar" in s3.command(Path("versitygw"), tmp_path, 9000)


def test_nothing_listens_beyond_this_machine(tmp_path: Path) -> None:
    chosen = ports.choose({}, dict.fromkeys(ports.USUAL, 0))
    argv = triton.command(tmp_path, tmp_path, chosen, "x")
    assert [flag for flag in argv if "-address=" in flag] == [
        f"--{protocol}-address=127.0.0.1" for protocol in ("grpc", "http", "metrics")
    ]
    assert "127.0.0.1:9000" in s3.command(Path("versitygw"), tmp_path, 9000)
    settings = (Path(kafka.__file__).parent / "server.properties.tpl").read_text()
    listeners = next(line for line in settings.splitlines() if line.startswith("listeners="))
    assert listeners.count("//127.0.0.1:") == listeners.count("://") == 2


def test_a_child_whose_parent_is_gone_before_it_began_does_not_begin() -> None:
    argv = bound_to_parent([sys.executable, "-c", "print('began')"], 9)
    argv[argv.index(str(os.getpid()))] = "1"
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""


def test_a_child_steps_back_as_far_as_it_is_told_its_session_too() -> None:
    told = """if True:
        import os, pathlib
        group = pathlib.Path("/proc/self/autogroup")
        print(os.nice(0), group.read_text().split()[-1] if group.exists() else 5)
    """
    argv = bound_to_parent([sys.executable, "-c", told], 9, nice=5)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, start_new_session=True)
    assert done.stdout.split() == [str(min(19, os.nice(0) + 5)), "5"], done.stderr


def test_the_cache_is_the_named_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLAYER_CACHE", "/somewhere")
    assert cache.cache_folder() == Path("/somewhere")


def test_status_is_json_that_other_programs_can_read(state: State) -> None:
    state.write_status({"processes": []})
    assert json.loads((state.run / "status.json").read_text()) == {"processes": []}


def test_a_report_that_can_not_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(tmp_path)
    state.run.mkdir(parents=True)
    state.write_status({"processes": ["old"]})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kiosk.local.state.write_json", full)
    state.write_status({"processes": ["new"]})
    assert state.status() == {"processes": ["old"]}
