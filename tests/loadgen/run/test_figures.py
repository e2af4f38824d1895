"""The numbers of a report add up: on made-up rows everything is known beforehand."""

import dataclasses
import math

import pytest

from loadgen.run import figures, phases
from loadgen.run.phases import Moments
from loadgen.run.plan import Plan
from loadgen.run.rows import NOT_SENT, Row, columns, rows
from tests.loadgen.run import made

PLAN = Plan(images=200, zip_size=20, delay=2.0, warmup=1)


def made_rows(**how: float) -> list[Row]:
    zips = made.sent(PLAN, **how)
    return [row for row in rows(zips, made.ends(zips)) if not row.warmup]


def test_the_phases_of_every_image_are_its_latency_and_hardly_any_of_it_is_unmeasured() -> None:
    found = made_rows(late=0.25)
    assert len(found) == 200
    for row in found:
        assert sum(row.spent.values()) == pytest.approx(row.latency, abs=1e-5)
        assert row.spent[phases.LATE] == pytest.approx(0.25)
        assert row.spent[phases.UPLOAD] == pytest.approx(0.5)
        assert row.spent["predict.model"] == pytest.approx(0.05, abs=1e-5)
    assert figures.accounted(found) > 0.99
    means = figures.by_phase(found)
    assert sum(each["mean"] for each in means.values()) == pytest.approx(figures.latency(found)["mean"], rel=1e-5)


def test_a_pause_that_nobody_measured_is_told_as_such() -> None:
    run = made.run(0.1, 0.2, 0.4)
    assert phases.UNMEASURED not in phases.spent(Moments(0.0, 0.0, 0.1, 1.0), [run])
    torn = run.model_copy(update={"phases": run.phases[:1] + run.phases[2:]})
    assert phases.spent(Moments(0.0, 0.0, 0.1, 1.0), [torn])[phases.UNMEASURED] == pytest.approx(0.04, abs=1e-5)


def test_an_unobserved_image_is_unmeasured_after_its_upload() -> None:
    spent = phases.spent(Moments(10.0, 10.0, 10.5, 12.0), [])
    assert spent == {phases.UPLOAD: pytest.approx(0.5), phases.UNMEASURED: pytest.approx(1.5)}


def test_latency_counts_from_the_schedule_however_late_the_sender_comes() -> None:
    late = figures.latency(made_rows(late=30.0))
    assert late["p50"] == pytest.approx(figures.latency(made_rows())["p50"] + 30.0, abs=0.01)


def test_throughput_and_backlog_follow_from_the_rows() -> None:
    found = (
        made_rows()
    )  # 10 images a second are due and as many can be done: the first has ended 0.65 s after it was due
    assert figures.span(found) == pytest.approx(20.55, abs=0.2)
    assert figures.throughput(found) == pytest.approx(200 / figures.span(found))
    over = figures.over_time(found)
    width = over["seconds"][1] - over["seconds"][0]
    assert sum(over["ended_per_second"]) * width == pytest.approx(200, rel=0.01)
    assert sum(over["due_per_second"]) * width == pytest.approx(200, rel=0.01)
    assert over["backlog"][-1] == 0
    assert max(over["backlog"]) <= 40


def test_every_histogram_counts_every_image_that_ended() -> None:
    found = made_rows()
    told = figures.histograms(found)
    assert {"latency", "tile.fetch", "postprocess.store", "model.compute"} <= told.keys()
    assert {sum(each["counts"]) for each in told.values() if each["counts"]} == {200.0}


def test_an_image_whose_zip_was_not_accepted_has_a_row_and_no_latency() -> None:
    [zip_] = made.sent(Plan(images=3, zip_size=3, warmup=0))
    failed = dataclasses.replace(zip_, job="", problem="Nothing answers.")
    found = list(rows([failed], {}))
    assert [row.fate for row in found] == [NOT_SENT] * 3
    assert all(math.isnan(row.ended) for row in found)
    assert figures.counts(found)["reasons"] == {"Nothing answers.": 3}
    assert figures.latency(found) == {}
    assert figures.throughput(found) == 0.0


def test_cpu_of_a_process_that_began_again_is_not_negative() -> None:
    found = made_rows()
    begun = min(row.due for row in found)
    used = [5.0, 6.0, 1.0, 2.0]
    samples = [made.Sample(begun + 5 * number, 0.5, 0.0, {"api": each}) for number, each in enumerate(used)]
    assert figures.cpu_seconds(samples, found)["api"] == pytest.approx(3.0 * figures.span(found) / 15)


def test_a_table_of_rows_has_a_column_for_every_phase() -> None:
    told = columns(made_rows())
    assert {len(values) for values in told.values()} == {200}
    assert {"job", "due", "ended", "fate", "latency", "seconds.upload", "seconds.model.compute"} <= told.keys()
