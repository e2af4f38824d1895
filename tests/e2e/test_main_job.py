"""The main job, by every way in."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from confluent_kafka import Producer

from inference.scoring import f1
from inference.synthetic import field
from kiosk.local.cache import cache_folder
from kiosk.local.samples import real_nuclei
from tests.e2e.system import System, until
from tests.servers import s3_client

pytestmark = pytest.mark.e2e


def write_fields(folder: Path, count: int, side: int = 256) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image, _ = field((side, side), seed=number, n_cells=20)
        tifffile.imwrite(folder / f"field {number:03d}.tif", image)
    return folder


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(folder.iterdir()):
            opened.write(file, file.name)
    return archive


def objects(system: System):  # type: ignore[no-untyped-def]
    env = system.environment()
    return s3_client(env), env["MONOLAYER_BUCKET"]


def finished(system: System, name: str):  # type: ignore[no-untyped-def]
    """The newest job of that name, once it is done."""

    def done():  # type: ignore[no-untyped-def]
        jobs = json.loads(system.run("jobs", "--json"))["jobs"]
        return next((job for job in jobs if job["name"] == name and job["state"] == "done"), None)

    return until(done)


def test_a_zip_with_a_real_image_becomes_labels_overlays_and_a_table(system: System, tmp_path: Path) -> None:
    sample = real_nuclei(cache_folder())
    folder = write_fields(tmp_path / "plate 1", 3)
    (folder / "real.tif").write_bytes(sample.image.read_bytes())
    out = tmp_path / "out"
    answer = system.submit(zipped(folder, tmp_path / "plate 1.zip"), "--out", out)
    assert {key: answer[key] for key in ("images", "labelled", "rejected", "cancelled")} == {
        "images": 4, "labelled": 4, "rejected": 0, "cancelled": 0,
    }  # fmt: skip
    labels = tifffile.imread(out / "labels" / "real.tif").squeeze()
    assert labels.dtype == np.uint16
    assert f1(tifffile.imread(sample.truth), labels) >= 0.8
    assert sorted(path.stem for path in (out / "overlays").iterdir())[-1] == "real"
    rows = list(csv.DictReader((out / "cells.csv").read_text().splitlines()))
    assert sum(row["image"] == "real.tif" for row in rows) == labels.max()
    manifest = json.loads((out / "manifest.json").read_text())
    assert {image["name"] for image in manifest["images"]} == {file.name for file in folder.iterdir()}


def test_files_and_folders_together_are_one_job(system: System, tmp_path: Path) -> None:
    folder = write_fields(tmp_path / "a folder", 2)
    single = write_fields(tmp_path / "more", 1) / "field 000.tif"
    answer = system.submit(folder, single, "--diameter", "24")
    assert (answer["images"], answer["labelled"]) == (3, 3)


def test_an_unknown_model_in_the_inbox_is_a_rejected_job_that_says_so(system: System, tmp_path: Path) -> None:
    client, bucket = objects(system)
    client.put_object(Bucket=bucket, Key="inbox/mitochondria/wrong.tif", Body=b"II*\0")
    job = finished(system, "wrong.tif")
    assert (job["images"], job["rejected"]) == (1, 1)
    assert "mitochondria" in system.run("rejected", job["job"])


def test_an_event_from_any_kafka_client_becomes_a_job(system: System, tmp_path: Path) -> None:
    archive = zipped(write_fields(tmp_path / "p", 2), tmp_path / "by kafka.zip")
    client, bucket = objects(system)
    client.upload_file(str(archive), bucket, "uploads/mine/by kafka.zip")
    producer = Producer({"bootstrap.servers": system.environment()["MONOLAYER_KAFKA"]})
    producer.produce("uploads", json.dumps({"object": "uploads/mine/by kafka.zip", "model": "nuclei"}))
    producer.produce("uploads", b"no event at all")
    assert producer.flush(10) == 0
    assert finished(system, "by kafka.zip")["labelled"] == 2
    until(lambda: client.list_objects_v2(Bucket=bucket, Prefix="quarantine/uploads/").get("KeyCount"))


def test_an_image_of_many_tiles_fans_out_through_its_topics(system: System, tmp_path: Path) -> None:  # rule 15
    image, _ = field((1024, 1024), seed=5, n_cells=200)
    large = np.tile(image, (5, 5))
    tifffile.imwrite(tmp_path / "slide.tif", large)
    out = tmp_path / "out"
    answer = system.submit(tmp_path / "slide.tif", "--out", out, seconds=280)
    assert (answer["images"], answer["labelled"]) == (1, 1)
    assert tifffile.imread(out / "labels" / "slide.tif").squeeze().shape == large.shape
    client, bucket = objects(system)
    until(lambda: not client.list_objects_v2(Bucket=bucket, Prefix="scratch/").get("KeyCount"))


def test_a_model_that_does_not_exist_is_refused_before_anything_is_sent(system: System, tmp_path: Path) -> None:
    single = write_fields(tmp_path / "more", 1) / "field 000.tif"
    system.run("submit", single, "--model", "mitochondria", code=1)
    system.run("submit", single, "--pixel-size", "-3", code=1)
