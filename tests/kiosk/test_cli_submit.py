"""What `submit` and `results` say: what was sent, what was found, and how to come back."""

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import tifffile

from kiosk.client import Monolayer, NotRunning
from kiosk.commands import summary
from kiosk.commands.folder import Found
from storage import keys
from tests.kiosk.front import Bucket, made_job, pixels, tiff
from tests.kiosk.test_cli import last_json, monolayer


def test_ctrl_c_while_waiting_says_how_to_come_back(
    door: tuple[str, Bucket], good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "wait", interrupted)
    result = monolayer("submit", good, "--wait", api=door[0])
    assert result.exit_code == 130
    assert "goes on without you" in result.stderr
    assert "monolayer show" in result.stderr


def test_ctrl_c_while_waiting_for_results_says_how_to_fetch_them(
    door: tuple[str, Bucket], good: Path, mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "wait", interrupted)
    result = monolayer("submit", good, mixed, "--out", tmp_path / "out", api=door[0])
    first, second = (line.rsplit(" ")[-1] for line in result.stdout.strip().splitlines())
    assert result.exit_code == 130
    assert f"`monolayer show {first}`" in result.stderr
    assert f"`monolayer results {first} --out {tmp_path / 'out' / 'mixed'}`" in result.stderr
    assert f"`monolayer results {second} --out '{tmp_path / 'out' / 'good [1]'}'`" in result.stderr


def test_results_beside_those_of_another_job_are_told_of_and_fetched(
    door: tuple[str, Bucket], good: Path, tmp_path: Path
) -> None:
    arguments = ("submit", good, "--json", "--out", tmp_path / "out")
    first = last_json(monolayer(*arguments, api=door[0]))["job"]
    again = monolayer("results", first, "--out", tmp_path / "out", api=door[0])
    assert (again.exit_code, again.stderr) == (0, "")
    (good / "1.tif").rename(good / "2.tif")
    result = monolayer(*arguments, api=door[0])
    assert result.exit_code == 0
    assert f"already holds results of job {first};" in result.stderr
    assert {path.name for path in (tmp_path / "out" / "labels").iterdir()} == {"0.tif", "1.tif", "2.tif"}


@pytest.mark.parametrize("old", ["", "[]", '{"images": [], "job": "x"}', '{"job": {"job": "x"}}'])
def test_a_strange_manifest_in_the_folder_is_replaced(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, old: str
) -> None:
    (tmp_path / "manifest.json").write_text(old)
    result = monolayer("submit", good, "--out", tmp_path, api=door[0])
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads((tmp_path / "manifest.json").read_text())["images"]


def test_results_end_with_how_many_cells_they_hold(door: tuple[str, Bucket], good: Path, tmp_path: Path) -> None:
    result = monolayer("submit", good, "--out", tmp_path / "out", api=door[0])
    assert result.stdout.splitlines()[-1] == "4 cells in 2 images, 2 per image (median)"
    with (tmp_path / "out" / "cells.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4


def test_overlays_that_were_reduced_are_told_of(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("storage.overlays", "kiosk.api.results", "kiosk.api.manifest"):
        monkeypatch.setattr(f"{module}.LONGEST", 25)
    result = monolayer("submit", good / "0.tif", "--out", tmp_path / "out", api=door[0])
    assert result.stdout.splitlines()[-1] == "overlays of 1 image are reduced: their longer side is 25 pixels"


def test_which_channel_was_used_is_told_where_there_are_several(door: tuple[str, Bucket], tmp_path: Path) -> None:
    axes = {"axes": "CYX"}
    tifffile.imwrite(tmp_path / "a.tif", pixels((4, 40, 50)), ome=True, photometric="minisblack", metadata=axes)
    told = monolayer("submit", tmp_path / "a.tif", "--out", tmp_path / "out", api=door[0]).stdout
    assert "channel 1 of 4 was used in 1 image; --channel picks another\n" in told
    chosen = monolayer("submit", tmp_path / "a.tif", "--channel", "3", "--out", tmp_path / "out", api=door[0]).stdout
    assert "channel 3 of 4 was used in 1 image\n" in chosen
    named = {**axes, "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "b.tif", pixels((2, 40, 50)), ome=True, photometric="minisblack", metadata=named)
    told = monolayer("submit", tmp_path / "b.tif", "--channel", "2", "--out", tmp_path / "out", api=door[0]).stdout
    assert "channel 2 (GFP) of 2 was used in 1 image\n" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "no pixel size in the files and none given: objects of about 17 pixels were assumed"),
        (("--pixel-size", "0.65"), "pixel size 0.65 µm, as submitted"),
        (("--diameter", "30"), "objects of about 30 pixels, as submitted"),
    ],
)
def test_the_size_that_was_assumed_is_told(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    result = monolayer("submit", good, *options, "--out", tmp_path / "out", api=door[0])
    assert result.stdout.splitlines()[-2] == told


def found(**fields: Any) -> Found:
    known = dict.fromkeys(field.name for field in dataclasses.fields(Found))
    return Found(**(known | {"cells": (), "contradicting": (), "chosen": (), "sizes": (), "estimated": ()} | fields))  # type: ignore[arg-type]


def test_sizes_that_only_some_files_know_are_told_apart() -> None:
    assert summary.lines(found(sizes=(0.5, 0.5, None), usual=24.0)) == [
        "pixel size 0.5 µm, from the files of 2 images",
        "no pixel size in 1 image and none given: objects of about 24 pixels were assumed",
    ]
    assert summary.lines(found(sizes=(0.3, 0.65))) == ["pixel size 0.3 to 0.65 µm, from the files"]
    assert summary.lines(found(sizes=(0.5,), estimated=(9.5, 14.0))) == [
        "pixel size 0.5 µm, from the files of 1 image",
        "no size given: objects of about 9.5 to 14 pixels, 11.75 in the middle, as estimated in 2 images",
    ]
    assert summary.lines(found(estimated=(14.0,))) == ["no size given: objects of about 14 pixels, as estimated"]


def test_images_not_to_trust_are_counted_by_reason_and_the_first_are_named() -> None:
    doubtful = [(f"{number}.tif", ("out of focus",)) for number in range(3)] + [
        ("z.tif", ("out of focus", "saturated"))
    ]
    assert summary.lines(found(doubtful=doubtful)) == [
        "look at 4 images before you trust the labels: 4 out of focus, 1 saturated",
        "  0.tif: out of focus",
        "  1.tif: out of focus",
        "  2.tif: out of focus",
        "  and 1 more; `flags` in images.csv names all",
    ]


def test_files_that_are_left_out_are_named_and_cost_nothing(door: tuple[str, Bucket], good: Path) -> None:
    (good / "README.txt").write_text("x")
    result = monolayer("submit", good, "--wait", api=door[0])
    assert (result.exit_code, result.stderr) == (0, "1 other file was left out: README.txt\n")
    for name in ("a.csv", "b.csv", "c.csv"):
        (good / name).write_text("x")
    result = monolayer("submit", good, api=door[0])
    assert "4 other files were left out: README.txt, a.csv, b.csv and 1 more\n" in result.stderr


def test_the_same_folder_while_its_first_job_runs_is_pointed_out_and_sent(door: tuple[str, Bucket], good: Path) -> None:
    made_job(door[1], {"a.tif": b"a"}, "j1", name="good [1].zip", options={"diameter": 12})
    other = monolayer("submit", good, api=door[0])
    same = monolayer("submit", good, "--diameter", "12", api=door[0])
    assert "still running" not in other.stderr + monolayer("submit", good, api=door[0]).stderr
    assert "Job j1 of the same name and options is still running; `monolayer results j1 --out DIR`" in same.stderr
    assert (same.exit_code, len(list(door[1].folders(keys.JOBS)))) == (0, 4)


def test_no_room_for_results_says_where_and_that_the_job_is_safe(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Monolayer, "results", full)
    result = monolayer("submit", good, "--out", tmp_path / "out", api=door[0])
    job = result.stdout.splitlines()[0].rsplit(" ")[-1]
    assert result.exit_code == 1
    assert f"can't be written to {tmp_path / 'out'}: No space left on device." in result.stderr
    assert f"safe; `monolayer results {job} --out ELSEWHERE` fetches them." in result.stderr


def test_when_monolayer_goes_away_while_it_waits_it_says_how_to_come_back(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise NotRunning("Nothing answers.")

    monkeypatch.setattr(Monolayer, "wait", gone)
    result = monolayer("submit", good, "--out", tmp_path / "out", api=door[0])
    assert result.exit_code == 1
    assert result.stderr.startswith("Nothing answers.\nWhat was submitted is kept.\n`monolayer show ")
    assert "`monolayer results " in result.stderr


def test_a_pixel_size_that_contradicts_the_files_is_told_of(door: tuple[str, Bucket], tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(pixel_size=0.32))
    result = monolayer("submit", tmp_path / "a.tif", "--pixel-size", "0.65", "--out", tmp_path / "out", api=door[0])
    told = "check the pixel size: 0.65 µm was submitted, the files of 1 image say 0.32 µm"
    assert result.stdout.splitlines()[-1] == told


def test_ctrl_c_while_sending_says_that_nothing_was_submitted(
    door: tuple[str, Bucket], good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "send", interrupted)
    result = monolayer("submit", good, api=door[0])
    assert result.exit_code == 130
    assert "was not submitted" in result.stderr


def test_ctrl_c_while_fetching_says_how_to_fetch_again(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "results", interrupted)
    result = monolayer("submit", good, "--out", tmp_path / "o 1", api=door[0])
    assert result.exit_code == 130
    assert f"--out '{tmp_path / 'o 1'}'" in result.stderr
