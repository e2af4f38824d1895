"""Where a run's time goes."""

import time

import pytest

from streams.tracing.spent import Interval, Spent


def test_each_stretch_keeps_its_begin_and_its_end_and_a_phase_adds_them_up() -> None:
    spent, before = Spent(), time.time_ns()
    for _ in range(2):
        with spent.timed("model"):
            time.perf_counter()
    first, second = spent.intervals
    assert before <= first.begun <= first.ended <= second.begun <= second.ended <= time.time_ns() + 10**6
    assert dict(spent.items()) == {"model": spent["model"]}
    assert spent["model"] == pytest.approx((first.ended - first.begun + second.ended - second.begun) / 1e9)
    assert spent["post"] == 0.0


def test_what_fails_has_taken_its_time_as_well() -> None:
    spent = Spent()
    with pytest.raises(KeyError), spent.timed("fetch"):
        raise KeyError
    assert [interval.phase for interval in spent.intervals] == ["fetch"]


def test_phases_of_another_process_follow_one_another_up_to_now() -> None:
    spent = Spent()
    spent.told(fetch=0.25, decode=0.5)
    fetch, decode = spent.intervals
    assert fetch == Interval("fetch", decode.begun - 250_000_000, decode.begun)
    assert decode.ended - decode.begun == 500_000_000
    assert 0 <= time.time_ns() - decode.ended < 10**9


def test_a_clock_that_is_set_back_turns_no_time_back(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = Spent()
    with spent.timed("model"):
        monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert spent["model"] > 0


def test_until_another_process_got_to_it_a_run_has_waited() -> None:
    spent = Spent()
    asked = spent.now() - 1_000_000_000
    spent.told(asked, fetch=0.25, decode=0.5)
    wait, fetch, decode = spent.intervals
    assert (wait.phase, wait.begun, wait.ended) == ("wait", asked, fetch.begun)
    assert fetch.ended == decode.begun
    assert wait.ended - wait.begun == pytest.approx(250_000_000, abs=50_000_000)
