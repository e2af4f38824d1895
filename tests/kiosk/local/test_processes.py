from pathlib import Path

import pytest

from kiosk.local.cache import LocalError
from kiosk.local.ports import USUAL
from kiosk.local.processes import COMPUTING, Place, table
from kiosk.local.settings import check_prices, segment_workers
from kiosk.local.stack import Local
from kiosk.local.state import State


def place(folder: Path, **through: str) -> Place:
    state = State(folder)
    state.make()
    return Place(state, folder, USUAL, through)


def test_several_workers_segment_side_by_side_each_with_its_own_name_log_and_heartbeat(tmp_path: Path) -> None:
    processes = table(place(tmp_path), ["stage-segment", "stage-collect"], workers=3)
    names = ["stage-segment", "stage-collect", "stage-segment-2", "stage-segment-3"]
    assert [process.name for process in processes] == names
    assert [process.log.stem for process in processes] == names
    assert len({process.environment["MONOLAYER_HEARTBEAT"] for process in processes}) == 4
    assert processes[0].argv == processes[2].argv


def test_those_that_compute_step_back_behind_those_that_answer(tmp_path: Path) -> None:
    nice = {
        process.name: process.nice for process in table(place(tmp_path), ["api", "stage-segment", "inbox"], workers=2)
    }
    assert nice == {"api": 0, "inbox": 0, "stage-segment": COMPUTING, "stage-segment-2": COMPUTING}
    assert COMPUTING > 0


def test_a_part_that_is_left_out_has_no_workers_however_many_are_asked_for(tmp_path: Path) -> None:
    assert [process.name for process in table(place(tmp_path), ["inbox"], workers=3)] == ["inbox"]


def test_what_runs_here_finds_a_part_through_its_proxy_and_others_find_the_part_itself(tmp_path: Path) -> None:
    here = place(tmp_path, s3="http://127.0.0.1:1234")
    [inbox] = table(here, ["inbox"])
    assert inbox.environment["MONOLAYER_S3_ENDPOINT"] == "http://127.0.0.1:1234"
    assert inbox.environment["MONOLAYER_TRITON"] == here.addresses["triton"]
    assert here.addresses["s3"] == f"http://127.0.0.1:{USUAL['s3']}"


@pytest.mark.parametrize(("said", "workers"), [(None, 1), ("", 1), ("3", 3)])
def test_the_environment_says_how_many_workers_segment(
    monkeypatch: pytest.MonkeyPatch, said: str | None, workers: int
) -> None:
    monkeypatch.delenv("MONOLAYER_SEGMENT_WORKERS", raising=False)
    if said is not None:
        monkeypatch.setenv("MONOLAYER_SEGMENT_WORKERS", said)
    assert segment_workers() == workers
    assert Local.usual().workers == workers


@pytest.mark.parametrize("said", ["0", "17", "two", "-1"])
def test_a_number_of_workers_that_makes_no_sense_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("MONOLAYER_SEGMENT_WORKERS", said)
    with pytest.raises(LocalError, match=f"'{said}', and has to be a number from 1 to 16"):
        segment_workers()


def test_a_price_file_with_a_mistake_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    for named in ("", "workstation"):
        monkeypatch.setenv("MONOLAYER_PRICES", named)
        check_prices()
    monkeypatch.setenv("MONOLAYER_PRICES", "gke-mars")
    with pytest.raises(LocalError, match="MONOLAYER_PRICES: there are no prices in 'gke-mars'"):
        check_prices()
