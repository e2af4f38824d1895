"""A run's folder becomes rows, figures and a page; two of them become a judgement."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from arro3.io import read_parquet

from loadgen.run.compare import compare
from loadgen.run.plan import BadPlan, Plan
from loadgen.run.report import PAGE, REPORT, ROWS, Found, write
from observability import cost
from tests.loadgen.run import made

PLAN = Plan(images=100, zip_size=20, delay=2.0, warmup=1, repeats=4)


def reported(folder: Path, service: float = made.SERVICE) -> dict[str, Any]:
    zips = made.sent(PLAN)
    found = Found(made.ends(zips, service), made.SOUND, cost.read("workstation"))
    return write(made.written(folder, PLAN, zips), found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "one"
    reported(place)
    return place


def test_a_report_holds_every_image_and_adds_up(folder: Path) -> None:
    told = json.loads((folder / REPORT).read_text())
    assert told["images"]["fates"] == {"labelled": 400}
    assert told["warmup_images"] == 20
    assert told["accounted"] > 0.99
    assert sum(each["mean"] for each in told["phases_s"].values()) == pytest.approx(told["latency_s"]["mean"], rel=1e-4)
    assert len(told["repeats"]) == 4
    assert told["repeats"][0]["cpu_s_per_image"] == pytest.approx(1 / told["repeats"][0]["images_per_second"], rel=0.01)
    assert told["cost"]["used"]["images"] == 420
    assert told["cost"]["dollars"] == pytest.approx(420 * made.SERVICE / 3600 * 0.045)
    table = read_parquet(io.BytesIO((folder / ROWS).read_bytes())).read_all()
    assert table.num_rows == 420
    assert "seconds.predict.model" in table.column_names


def test_its_page_fetches_nothing_and_takes_every_colour_from_its_style(folder: Path) -> None:
    page = (folder / PAGE).read_text()
    assert page.count("<svg") == 7
    assert "<script" not in page and "<link" not in page and "url(http" not in page
    for placeholder in ("#010101", "#020202", "#030301", "#000000"):
        assert placeholder not in page
    assert "postprocess.store" in page


def test_a_run_that_was_stopped_is_reported_as_far_as_it_came(tmp_path: Path) -> None:
    zips = made.sent(PLAN)[:3]
    folder = made.written(tmp_path / "stopped", PLAN, zips)
    with (folder / "sent.jsonl").open("a") as file:
        file.write('{"due": {"number"')  # killed in the middle of a line
    told = write(folder, Found(made.ends(zips), made.SOUND))
    assert told["notes"] == [
        "Verdict and cost count the 20 images of the warm-up as well; nothing else does.",
        "It was stopped when 3 of 21 zips had been sent.",
    ]
    assert told["images"]["fates"] == {"labelled": 40}
    assert "dollars" not in told["cost"]


def test_a_run_that_is_beyond_the_noise_is_better_and_the_other_way_round_worse(folder: Path, tmp_path: Path) -> None:
    reported(tmp_path / "slower", service=0.2)
    found = compare(folder, tmp_path / "slower")
    judged = {each.figure: each.judgement for each in found.figures}
    assert judged["images_per_second"] == judged["latency_p50_s"] == "worse"
    assert judged["not_labelled"] == "undecided"
    assert found.judgement == "worse"
    assert compare(tmp_path / "slower", folder).judgement == "better"
    assert compare(folder, folder).judgement == "undecided"
    assert found.differences == ()


def test_a_run_that_was_observed_differs_from_one_that_was_not(folder: Path, tmp_path: Path) -> None:
    zips = made.sent(PLAN)
    blind = {job: replace(told, ends={}) for job, told in made.ends(zips).items()}
    write(made.written(tmp_path / "blind", PLAN, zips), Found(blind, made.SOUND))
    assert compare(folder, tmp_path / "blind").differences == (
        "What was under load differs: observed is True before and False after.",
    )


def test_what_holds_no_report_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="loadgen run"):
        compare(tmp_path, tmp_path)
    (tmp_path / REPORT).write_text('{"format": 99}')
    with pytest.raises(BadPlan, match="format 1"):
        compare(tmp_path, tmp_path)
