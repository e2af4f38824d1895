import csv
import io
import json
import threading
import tracemalloc
import zipfile
import zlib
from typing import Any, get_args

import numpy as np
import pytest

from kiosk.api.outcome import read_results
from kiosk.api.results import as_zip
from kiosk.api.tables import _rows
from kiosk.contract import Format
from storage import keys
from storage.images import read_image
from storage.labels import read_labels, write_labels
from storage.memory import MemoryStore
from tests.kiosk.front import BAD, MODEL, MODELS, InProcess, app_of, finish, labels_of, made_job, tiff

V1 = "/api/v1"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def http(store: MemoryStore) -> InProcess:
    return InProcess(app_of(store))


def opened(http: InProcess, job: str = "j1") -> zipfile.ZipFile:
    answer = http.get(f"{V1}/jobs/{job}/results")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{job}.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    return archive


def table(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("cells.csv").decode())))


def manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    return dict(json.loads(archive.read("manifest.json")))


def test_results_hold_labels_overlays_the_table_and_the_manifest(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"week 1/a.tif": tiff(), "b.tif": BAD, "c.tif": tiff(seed=1)})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50) if entry.name != "b.tif" else None)
    archive = opened(http)
    assert archive.namelist() == [
        "labels/week 1/a.tif",
        "overlays/week 1/a.png",
        "labels/c.tif",
        "overlays/c.png",
        "cells.csv",
        "images.csv",
        "manifest.json",
        "methods.txt",
    ]
    assert archive.read("labels/c.tif") == store.get(keys.labels("j1", 2))
    overlay = read_image(archive.read("overlays/c.png"), "c.png", channel=1)
    assert overlay.planes.shape[1:] == (40, 50)


def test_the_table_has_a_row_per_cell_and_the_image_first(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"p/a,b.tif": tiff(), "c.tif": tiff()})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    rows = table(opened(http))
    assert list(rows[0]) == ["image", "plane", "label", "area_px", "intensity_mean"]
    assert [(row["image"], row["label"]) for row in rows] == [
        ("p/a,b.tif", "1"), ("p/a,b.tif", "2"), ("c.tif", "1"), ("c.tif", "2"),
    ]  # fmt: skip
    assert rows[0]["intensity_mean"] == "0.1"


def test_the_table_of_images_has_a_row_for_each_and_what_became_of_it(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": tiff(), "b,2.tif": BAD})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50) if entry.image == 0 else None)
    labelled, rejected = csv.DictReader(io.StringIO(opened(http).read("images.csv").decode()))
    assert (labelled["image"], labelled["fate"], labelled["cells"], labelled["flags"]) == ("a.tif", "labelled", "2", "")
    assert (rejected["image"], rejected["fate"], rejected["cells"]) == ("b,2.tif", "rejected", "")
    assert rejected["reason"] and rejected["message"]


def test_numbers_have_as_many_digits_as_were_measured() -> None:
    cells = {"area_um2": np.array([1 / 3, 4.5e-4 / 3]), "label": np.array([1, 70_000_000])}
    assert list(_rows("a", cells, list(cells))) == [("a", "0.3333333", "1"), ("a", "0.00015", "70000000")]


def test_images_without_a_pixel_size_leave_the_columns_in_micrometres_empty(
    store: MemoryStore, http: InProcess
) -> None:
    made_job(store, {"a.tif": tiff(), "b.tif": tiff()})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50, in_um=entry.name == "b.tif"))
    archive = opened(http)
    assert [row["area_um2"] for row in table(archive)] == ["", "", "25", "37.5"]
    assert [image.get("pixel_size_um") for image in manifest(archive)["images"]] == [None, 0.5]


def test_each_plane_of_a_stack_has_an_overlay(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"stack.tif": tiff((3, 40, 50))})
    finish(store, "j1", lambda entry: labels_of(3, 40, 50))
    archive = opened(http)
    assert [name for name in archive.namelist() if name.startswith("overlays/")] == [
        "overlays/stack_000.png", "overlays/stack_001.png", "overlays/stack_002.png",
    ]  # fmt: skip
    assert [row["plane"] for row in table(archive)] == ["0", "0", "1", "1", "2", "2"]


def test_an_image_that_is_no_stack_has_plane_0(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": tiff(), "stack.tif": tiff((2, 40, 50))})
    finish(store, "j1", lambda entry: labels_of(entry.image + 1, 40, 50))
    assert [row["plane"] for row in table(opened(http))] == ["0", "0", "0", "0", "1", "1"]


def test_images_of_one_name_all_have_results(store: MemoryStore, http: InProcess) -> None:
    names = ["a.tif", "a.png", "A.TIF", "../a.jpg", "/b.tif"]
    made_job(store, {name: tiff() for name in names})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    found = opened(http).namelist()
    assert len(found) == len({name.casefold() for name in found}) == 14
    assert "labels/a.png.tif" in found and "labels/b.tif" in found
    assert not any(".." in name or name.startswith("/") for name in found)


def test_the_manifest_says_what_was_done_with_every_image(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"ä.tif": tiff(), "b.tif": BAD}, options={"pixel_size": 0.5})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50) if entry.image == 0 else None)
    told = manifest(opened(http))
    assert told["model"] | {"name": "nuclei", "version": "3", "digest": MODEL.digest} == told["model"]
    assert told["options"] == {"pixel_size": 0.5}
    assert (told["state"]["images"], told["state"]["labelled"], told["state"]["rejected"]) == (2, 1, 1)
    labelled, rejected = told["images"]
    assert (labelled["name"], labelled["fate"], labelled["labels"]) == ("ä.tif", "labelled", "labels/ä.tif")
    assert labelled["input"]["etag"] == store.stat("inbox/j1/0").etag
    assert (rejected["fate"], rejected["reason"], rejected["message"]) == (
        "rejected",
        "bad_input",
        "b.tif is no image.",
    )


def test_the_manifest_has_what_a_methods_section_needs(store: MemoryStore, http: InProcess) -> None:
    job = made_job(store, {"a.tif": tiff((2, 40, 50)), "empty.tif": tiff(), "b.tif": BAD})
    store.put(keys.job("j1"), job.model_copy(update={"created": 1700000000.25}).model_dump_json().encode())
    nothing = write_labels(np.zeros((1, 40, 50), np.int32), {"label": np.zeros(0, np.int32)}, None, {})
    outcomes = [labels_of(2, 40, 50), nothing, None]
    finish(store, "j1", lambda entry: outcomes[entry.image])
    told = manifest(opened(http))
    assert (told["created"], told["job"]["created"]) == ("2023-11-14T22:13:20Z", 1700000000.25)
    assert told["model"] == {
        "name": "nuclei",
        "version": "3",
        "digest": MODEL.digest,
        "trained_at_pixel_size_um": 0.65,
        "trained_at_diameter_px": 17.0,
        "normalised_between_percentiles": [1.0, 99.0],
        "citations": [],
    }
    stack, empty, rejected = told["images"]
    assert (stack["channel"], stack["planes"], stack["cells"]) == (1, 2, 4)
    assert (empty["channel"], empty["planes"], empty["cells"]) == (1, 1, 0)
    assert stack["input_crc32"] == f"{zlib.crc32(tiff((2, 40, 50))):08x}"
    assert "cells" not in rejected


def test_the_manifest_names_the_channel_that_was_asked_for(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": tiff()}, options={"channel": 2})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    assert manifest(opened(http))["images"][0]["channel"] == 2


def test_the_checksum_of_a_member_of_an_archive_has_8_hex_digits(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": BAD})
    shard = json.loads(store.get(keys.manifest_shard("j1", 0)))
    shard["images"][0]["source"]["crc"] = 0xABC
    store.put(keys.manifest_shard("j1", 0), json.dumps(shard).encode())
    [image] = manifest(opened(http))["images"]
    assert (image["input_crc32"], image["input"]["crc"]) == ("00000abc", 0xABC)


def test_the_manifest_says_how_far_an_overlay_was_reduced(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"wide.tif": tiff((40, 4096)), "a.tif": tiff()})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50 if entry.image else 4096))
    told = manifest(opened(http))
    assert told["overlay_longest_side_px"] == 2048
    assert [image.get("overlay_scale") for image in told["images"]] == [0.5, None]


def test_a_model_that_has_changed_since_gives_the_job_no_version(store: MemoryStore, http: InProcess) -> None:
    job = made_job(store, {"a.tif": tiff()})
    store.put(keys.job("j1"), job.model_copy(update={"model_digest": "older"}).model_dump_json().encode())
    told = manifest(opened(http))["model"]
    assert (told["digest"], told["version"]) == ("older", None)


def test_results_of_a_running_job_are_what_there_is_so_far(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": tiff(), "b.tif": tiff()})
    store.put(keys.labels("j1", 1), labels_of(1, 40, 50))
    archive = opened(http)
    assert [image["fate"] for image in manifest(archive)["images"]] == ["in flight", "labelled"]
    assert len(table(archive)) == 2


def test_a_job_without_any_labels_still_has_a_table_and_a_manifest(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": BAD})
    finish(store, "j1", lambda entry: None)
    archive = opened(http)
    assert archive.namelist() == ["cells.csv", "images.csv", "manifest.json", "methods.txt"]
    assert archive.read("cells.csv") == b"image,plane\n"


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_an_original_that_is_gone_costs_the_overlay_and_nothing_else(
    store: MemoryStore, http: InProcess, how: str
) -> None:
    made_job(store, {"a.tif": tiff(), "b.tif": tiff()})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    if how == "deleted":
        store.delete(["inbox/j1/0"])
    else:
        store.put("inbox/j1/0", tiff(seed=9))
    archive = opened(http)
    assert "labels/a.tif" in archive.namelist() and "overlays/a.png" not in archive.namelist()
    assert "overlays/b.png" in archive.namelist()
    first, second = manifest(archive)["images"]
    assert "can't be read any more" in first["no_overlay"]
    assert "no_overlay" not in second


def test_the_labels_in_the_results_are_those_of_the_image(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": tiff()})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    labels = read_labels(opened(http).read("labels/a.tif"))
    assert np.unique(labels.labels).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("formats", "side", "images", "room", "least"),
    [((), 1000, 30, 5 * 2**20, 2**20), (get_args(Format), 500, 40, 3 * 2**20, 2**17)],
    ids=["the usual", "all formats"],
)
def test_memory_does_not_grow_with_the_number_of_images(
    store: MemoryStore, formats: tuple[Format, ...], side: int, images: int, room: int, least: int
) -> None:
    image, labels = tiff((side, side)), labels_of(1, side, side)

    def peak(job: str, count: int) -> int:
        made_job(store, {f"{number}.tif": image for number in range(count)}, job)
        finish(store, job, lambda entry: labels)
        results = read_results(store, job, frozenset(formats))
        tracemalloc.start()
        try:
            sent = sum(len(piece) for piece in as_zip(results, store, MODELS, threading.Lock()))
            assert sent > count * least
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak("warm", 1)
    few, many = peak("few", 3), peak("many", images)
    assert many < few + room, f"{few / 1e6:.1f} MB for 3 images, {many / 1e6:.1f} MB for {images}"


@pytest.mark.parametrize(("submitted", "told"), [(0.65, True), (0.2, True), (0.35, False), (None, False)])
def test_a_submitted_pixel_size_that_the_file_contradicts_is_pointed_out(
    store: MemoryStore, http: InProcess, submitted: float | None, told: bool
) -> None:
    made_job(store, {"a.tif": tiff(pixel_size=0.32)}, options={"pixel_size": submitted})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    [image] = manifest(opened(http))["images"]
    assert image.get("pixel_size_in_file_um") == (pytest.approx(0.32) if told else None)


def test_a_pixel_size_that_was_meant_for_a_printer_contradicts_nothing(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {"a.tif": tiff(pixel_size=15.0)}, options={"pixel_size": 0.65})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    assert "pixel_size_in_file_um" not in manifest(opened(http))["images"][0]
