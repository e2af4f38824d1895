import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from kiosk.api.trust import BLURRED, SATURATED, Figures, figures, flags, usual_size
from storage.labels import write_labels
from storage.memory import MemoryStore
from tests.kiosk.front import BAD, InProcess, app_of, finish, made_job, tiff

GOOD = Figures(cells=50, focus=0.25, saturated=0.0, diameter=24.0, pixel_size=None)
ALIKE = [GOOD] * 9


def of(image: Figures, others: list[Figures] = ALIKE) -> list[str]:
    return flags(image, usual_size([*others, image]))


def test_an_image_like_the_others_has_no_flag() -> None:
    assert of(GOOD) == []


def test_each_doubt_has_its_words() -> None:
    assert of(replace(GOOD, focus=BLURRED / 2)) == ["out of focus"]
    assert of(replace(GOOD, saturated=SATURATED * 2)) == ["saturated"]
    assert of(replace(GOOD, diameter=45.0)) == of(replace(GOOD, diameter=12.0)) == ["sizes unlike the others"]
    assert of(Figures(0, None, 0.0, None, None)) == ["no cells found"]


def test_sizes_are_compared_in_micrometres_where_all_are_known() -> None:
    small, large = replace(GOOD, pixel_size=0.5), replace(GOOD, diameter=48.0, pixel_size=0.25)
    assert of(large, [small] * 9) == []
    assert of(replace(large, pixel_size=0.5), [small] * 9) == ["sizes unlike the others"]
    assert of(large, ALIKE) == ["sizes unlike the others"]


def test_cells_of_another_size_than_was_said_are_pointed_out() -> None:
    def said(diameter: float, image: Figures = GOOD) -> list[str]:
        return flags(image, usual_size([image], diameter))

    assert said(24.0) == said(24.0 * 1.3) == said(24.0 / 1.3) == []
    assert said(48.0) == said(12.0) == ["sizes unlike the diameter that was given"]
    assert said(48.0, replace(GOOD, cells=2)) == []


def test_a_few_cells_or_a_few_images_say_nothing_of_sizes() -> None:
    assert of(replace(GOOD, diameter=90.0, cells=2)) == []
    assert of(replace(GOOD, diameter=90.0), [GOOD] * 2) == []


def test_labels_from_before_there_were_figures_are_flagged_by_their_cells_alone() -> None:
    old = figures({"label": np.arange(8), "area_px": np.full(8, 400)}, 0.5, {"model": "nuclei"})
    assert (old.focus, old.saturated, old.diameter, old.cells) == (None, None, 22.57, 8)
    assert of(old) == []
    assert old.told() == {"median_diameter_px": 22.57}


def labels_of(cells: int, **facts: str) -> bytes:
    labels = np.zeros((1, 40, 50), np.int32)
    columns = {"label": np.arange(1, cells + 1, dtype=np.int32), "area_px": np.full(cells, 400)}
    return write_labels(labels, columns, None, facts)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    made_job(store, {"blurred.tif": tiff(), "good.tif": tiff(), "empty.tif": tiff(), "bad.tif": BAD})
    outcomes = [labels_of(9, focus="0.05", saturated="0"), labels_of(9, focus="0.3", saturated="0"), labels_of(0), None]
    finish(store, "j1", lambda entry: outcomes[entry.image])
    return store


def test_the_api_names_the_doubtful_images_of_a_job_with_their_figures(store: MemoryStore) -> None:
    told = InProcess(app_of(store)).get("/api/v1/jobs/j1/doubtful").json()
    assert told["looked_at"] == 3
    blurred, empty = told["images"]
    assert blurred == {
        "image": 0, "name": "blurred.tif", "flags": ["out of focus"], "cells": 9, "focus": 0.05, "saturated": 0.0,
        "median_diameter_px": 22.57,
    }  # fmt: skip
    assert (empty["name"], empty["flags"], empty["focus"]) == ("empty.tif", ["no cells found"], None)
    assert InProcess(app_of(store)).get("/api/v1/jobs/none/doubtful").status_code == 404


def test_the_manifest_has_the_figures_and_flags_of_each_labelled_image(store: MemoryStore) -> None:
    answer = InProcess(app_of(store)).get("/api/v1/jobs/j1/results")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        blurred, good, empty, bad = json.loads(archive.read("manifest.json"))["images"]
        methods = archive.read("methods.txt").decode()
    assert (blurred["focus"], blurred["saturated"], blurred["median_diameter_px"]) == (0.05, 0.0, 22.57)
    assert [image.get("flags") for image in (blurred, good, empty, bad)] == [
        ["out of focus"], [], ["no cells found"], None,
    ]  # fmt: skip
    assert "2 images were flagged (1 out of focus, 1 no cells found)." in methods
