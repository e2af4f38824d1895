import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from kiosk.local.process import Broken, Pace, Process
from kiosk.local.supervisor import Kept, Supervisor

QUICK = Pace(ask_starting=0.01, ask_ready=0.02, first_delay=0.02, longest_delay=0.08, settled=30, stop_all=3)
SLEEP = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(r'{}', 'w'); time.sleep(60)"


def process(folder: Path, name: str = "one", code: str = SLEEP, **rest: object) -> Process:
    rest = {"probe": lambda: None} | rest
    argv = (sys.executable, "-I", "-S", "-c", code)
    return Process(name=name, argv=argv, log=folder / f"{name}.log", **rest)  # type: ignore[arg-type]


def supervise(
    processes: list[Process],
    until: Callable[[Supervisor], bool],
    pace: Pace = QUICK,
    prepare: Callable[[], None] = lambda: None,
    then: Callable[[Supervisor], None] = lambda supervisor: None,
) -> list[tuple[str, str, float]]:
    """Run until a condition holds; return every change as process, state and time."""
    changes: list[tuple[str, str, float]] = []

    def report(supervisor: Supervisor) -> None:
        for kept in supervisor.kept:
            last = next((phase for name, phase, _ in reversed(changes) if name == kept.process.name), "starting")
            if last != kept.phase:
                changes.append((kept.process.name, kept.phase, time.monotonic()))

    async def main() -> None:
        supervisor, stop = Supervisor(processes, report, prepare, pace), asyncio.Event()
        running = asyncio.create_task(supervisor.run(stop))
        async with asyncio.timeout(20):
            while not until(supervisor) and not running.done():
                await asyncio.sleep(0.005)
        then(supervisor)
        stop.set()
        await running

    asyncio.run(main())
    return changes


def ready(supervisor: Supervisor) -> bool:
    return all(kept.phase == "ready" for kept in supervisor.kept)


def one(supervisor: Supervisor) -> Kept:
    return supervisor.kept[0]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_process_that_keeps_dying_is_restarted_ever_later_up_to_a_limit_and_never_given_up(tmp_path: Path) -> None:
    changes = supervise(
        [process(tmp_path, code="raise SystemExit(3)", probe=fails)], lambda all: one(all).restarts >= 9
    )
    ends = [moment for _, phase, moment in changes if phase == "restarting"]
    starts = [moment for _, phase, moment in changes if phase == "starting"]
    delays = [after - before for before, after in zip(ends, starts, strict=False)]
    for delay, least in zip(delays, (0.02, 0.04, 0.08, 0.08, 0.08), strict=False):
        assert least <= delay + 0.005
    assert max(delays) < 1


def test_a_process_that_was_well_for_a_while_is_restarted_quickly_again(tmp_path: Path) -> None:
    pace = Pace(ask_starting=0.01, ask_ready=0.02, first_delay=0.01, longest_delay=30, settled=0)
    dying = process(tmp_path, code="import time; time.sleep(0.1)")
    supervise([dying], lambda all: one(all).restarts >= 8, pace)  # doubling would have come to 2.5 s by now


def fails() -> None:
    raise ConnectionError("nobody listens")


def test_a_process_that_stops_answering_is_replaced_and_the_reason_is_kept(tmp_path: Path) -> None:
    answers = [True, True, False, False, False]
    pids: set[int | None] = set()

    def probe() -> None:
        if answers and not answers.pop(0):
            raise ConnectionError("nobody listens")

    def replaced(supervisor: Supervisor) -> bool:
        pids.add(one(supervisor).pid)
        return one(supervisor).restarts == 1 and ready(supervisor)

    def look(supervisor: Supervisor) -> None:
        assert one(supervisor).error == "did not answer 3 times in a row: ConnectionError: nobody listens"

    supervise([process(tmp_path, probe=probe)], replaced, then=look)
    assert len(pids - {None}) == 2
    assert not any(is_alive(pid) for pid in pids if pid)


def test_what_is_broken_is_replaced_at_once(tmp_path: Path) -> None:
    answers = ["works", "broken"]

    def probe() -> None:
        if answers and answers.pop(0) == "broken":
            raise Broken("half of it has died")

    def look(supervisor: Supervisor) -> None:
        assert one(supervisor).error == "is broken: half of it has died"

    supervise([process(tmp_path, probe=probe)], lambda all: one(all).restarts == 1 and ready(all), then=look)


def test_one_missing_answer_does_no_harm(tmp_path: Path) -> None:
    answers = [True, False, False, True] * 3

    def probe() -> None:
        if answers and not answers.pop(0):
            raise ConnectionError

    supervise([process(tmp_path, probe=probe)], lambda all: not answers, then=lambda all: check(one(all).restarts == 0))


def check(holds: bool) -> None:
    assert holds


def test_an_answer_that_never_comes_counts_as_missing(tmp_path: Path) -> None:
    async def hangs() -> None:
        await asyncio.sleep(60)

    silent = process(tmp_path, probe=hangs, probe_seconds=0.05, grace_seconds=0.2)
    supervise(
        [silent], lambda all: one(all).restarts == 1, then=lambda all: check("within 0.2 s" in str(one(all).error))
    )


def test_a_program_that_is_missing_is_reported_and_tried_again(tmp_path: Path) -> None:
    missing = Process("one", (str(tmp_path / "nothing"),), fails, tmp_path / "one.log")
    supervise([missing], lambda all: one(all).restarts >= 2)
    assert "No such file" in (tmp_path / "one.log").read_text()


def test_later_processes_start_when_the_first_work_and_all_is_prepared(tmp_path: Path) -> None:
    told: list[str] = []
    tries = [OSError("not yet"), None]

    def prepare() -> None:
        if error := tries.pop(0):
            raise error
        told.append("prepared")

    servers = process(tmp_path, "server", probe=lambda: told.append("server answers"))
    stage = process(tmp_path, "stage", before=lambda: told.append("stage starts"), start=1)
    supervise([stage, servers], ready, prepare=prepare)
    assert [told.index(word) for word in ("server answers", "prepared", "stage starts")] == sorted(
        told.index(word) for word in ("server answers", "prepared", "stage starts")
    )


def test_processes_stop_in_order_and_the_deaf_are_killed(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    deaf = process(tmp_path, "stage", DEAF.format(heard), probe=lambda: heard.stat(), stop=0, stop_seconds=0.3)
    begun = time.monotonic()
    changes = supervise([process(tmp_path, "kafka", stop=1), deaf], ready)
    assert time.monotonic() - begun < 10
    assert [name for name, phase, _ in changes if phase == "stopped"] == ["stage", "kafka"]


def test_everything_is_stopped_in_time_however_many_are_deaf(tmp_path: Path) -> None:
    deaf = []
    for name, wave in (("a", 0), ("b", 1), ("c", 2)):
        heard = tmp_path / f"{name}.heard"
        deaf.append(process(tmp_path, name, DEAF.format(heard), probe=heard.stat, stop=wave, stop_seconds=60))
    pids: list[int] = []
    begun: list[float] = []

    def then(supervisor: Supervisor) -> None:
        pids.extend(kept.pid for kept in supervisor.kept if kept.pid)
        begun.append(time.monotonic())

    supervise(deaf, ready, Pace(ask_starting=0.01, stop_all=1), then=then)
    assert time.monotonic() - begun[0] < 10
    assert len(pids) == 3
    assert not any(is_alive(pid) for pid in pids)


def test_what_a_process_started_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "grandchild"
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open({str(file)!r}, "w").write(str(child.pid))
        time.sleep(60)
    """
    supervise([process(tmp_path, code=dedent(code), probe=lambda: int(file.read_text()))], ready)
    wait_until(lambda: not is_alive(int(file.read_text())))


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    written = tmp_path / "status.json"
    code = f"""
        import asyncio, json, sys
        from pathlib import Path
        from kiosk.local.process import Process
        from kiosk.local.supervisor import Supervisor
        def report(supervisor):
            pids = [kept.pid for kept in supervisor.kept if kept.phase == "ready"]
            Path({str(written)!r}).write_text(json.dumps(pids))
        argv = (sys.executable, "-c", "import time; time.sleep(60)")
        table = [Process(str(n), argv, lambda: None, Path({str(tmp_path)!r}) / f"{{n}}.log") for n in range(2)]
        asyncio.run(Supervisor(table, report).run(asyncio.Event()))
    """
    with subprocess.Popen([sys.executable, "-c", dedent(code)]) as supervisor:
        try:
            wait_until(lambda: written.exists() and written.read_text().count(",") == 1)
            pids = json.loads(written.read_text())
            assert all(is_alive(pid) for pid in pids)
        finally:
            supervisor.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("yesterday\n")
    supervise([process(tmp_path, code="print('today')", probe=fails)], lambda all: one(all).restarts == 1)
    assert (tmp_path / "one.log").read_text().startswith("yesterday\ntoday\n")


def test_a_mistake_in_the_supervisor_itself_is_not_kept_silent(tmp_path: Path) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        supervise([process(tmp_path, before=broken)], lambda all: False)
