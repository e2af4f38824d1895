from collections import Counter
from pathlib import Path

from typer.testing import CliRunner

from loadgen.chaos.judge import Verdict
from loadgen.chaos.report import Injected, Report
from loadgen.chaos.verified import Traced, together
from loadgen.chaos.world import Measured
from loadgen.cli import app

WANTED = {
    "images",
    "labelled",
    "rejected",
    "faults",
    "lost",
    "duplicated",
    "anomalies",
    "throughput_ratio",
    "slowest_exit_s",
    "slowest_takeover_s",
}


def report(verdict: Verdict | None = None, traced: Traced | None = None, **verified: int) -> Report:
    return Report(
        seed=1,
        verdict=verdict or Verdict(images=10, labelled=10),
        measured=Measured(exits=[1.0, 2.5], takeovers=[7.0]),
        injected=[Injected(0.0, "kill", "process", "inbox", 0.1, 0.5), Injected(1.0, "kill", "process", "api", 0.1)],
        not_met=Counter(),
        jobs=["j"],
        images_per_second=8.0,
        undisturbed_images_per_second=10.0,
        verified={"lost": 0, "anomalies": 0, **verified},
        traced=traced,
    )


def test_the_summary_holds_what_was_promised() -> None:
    said = report().summary
    assert said.keys() >= WANTED
    assert (said["throughput_ratio"], said["slowest_exit_s"], said["slowest_takeover_s"]) == (0.8, 2.5, 7.0)
    assert (said["faults"], said["recovery_median_s"], said["by_kind"]) == (2, 0.5, {"kill": 2})


def test_a_run_in_which_everything_was_kept_is_clean() -> None:
    assert report().clean


def test_an_image_that_both_checkers_miss_is_one_anomaly() -> None:
    found = report(Verdict(images=10, labelled=9, lost=["image 3 of job j has no end."]), lost=1, anomalies=1)
    assert (found.lost, found.anomalies) == (1, 1)


def test_what_only_one_checker_notices_counts() -> None:
    assert report(anomalies=2).anomalies == 2
    assert report(Verdict(images=10, labelled=10, differing=["other bytes"])).anomalies == 1


def test_an_image_without_a_complete_trace_is_an_anomaly_and_is_named() -> None:
    jobs = [
        {"job": "a", "images": 30, "complete": 30, "coverage": 1.0, "examples": []},
        {"job": "b", "images": 10, "complete": 9, "coverage": 0.8, "examples": ["image 3 in round 0: no image > tile"]},
    ]
    found = report(traced=together(jobs))
    assert found.anomalies == 1
    assert found.sentences == ["The trace of image 3 in round 0: no image > tile, of job b."]
    assert (found.summary["traced"], found.summary["complete"], found.summary["coverage"]) == (40, 39, 0.95)


def test_a_kind_of_fault_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["chaos", "--only", "earthquake", "--report", str(tmp_path)])
    assert said.exit_code == 2
    assert "earthquake" in said.output
    assert "broker-kill" in said.output


def test_a_run_that_can_not_be_made_is_not_a_run_that_lost_something(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = CliRunner().invoke(app, ["chaos", "--images", "1", "--report", str(tmp_path / "file")])
    assert said.exit_code == 2
