"""What `methods.txt` says, and that the manifest alone says it."""

import dataclasses
import io
import json
import threading
import zipfile
from typing import Any

import pytest

from kiosk.api.methods import Summed, text
from kiosk.api.outcome import read_results
from kiosk.api.results import as_zip
from storage.memory import MemoryStore
from tests.kiosk.front import BAD, MODEL, finish, labels_of, made_job, tiff

CITED = dataclasses.replace(MODEL, citations=("Caicedo et al. 2019, doi:10.1038/s41592-019-0612-7",))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def told(store: MemoryStore, model: Any = CITED) -> str:
    pieces = as_zip(read_results(store, "j1"), store, {"nuclei": model}, threading.Lock())
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        said = archive.read("methods.txt").decode()
        manifest = json.loads(archive.read("manifest.json"))
    images = manifest.pop("images")
    summed = Summed()
    assert list(summed.watching(images)) == images
    assert text(manifest, summed) == said  # from the manifest alone
    return said


def sized(store: MemoryStore, known: dict[str, bool], **options: float) -> str:
    made_job(store, {name: tiff() for name in known}, options=options)
    finish(store, "j1", lambda entry: labels_of(1, 40, 50, in_um=known[entry.name]))
    return told(store)


def test_methods_name_program_model_counts_and_source(store: MemoryStore) -> None:
    made_job(store, {"a.tif": tiff(), "b.tif": tiff((2, 40, 50)), "c.tif": BAD})
    finish(store, "j1", lambda entry: labels_of(entry.image + 1, 40, 50) if entry.name != "c.tif" else None)
    said = told(store)
    assert "with Monolayer 0." in said
    assert f"its model nuclei version 3 (SHA-256 of description and weights: {MODEL.digest}; job j1, 20" in said
    assert "between the percentiles 1 and 99 of each plane" in said
    assert "maximum was below 0.55 of it, and those of fewer than 50 pixels" in said
    assert "Each plane of a stack was treated as an image of its own." in said
    assert "Of 3 images 2 were labelled, with 6 objects in all. 1 image was rejected (1 bad input)." in said
    assert said.endswith("References for the model: Caicedo et al. 2019, doi:10.1038/s41592-019-0612-7.\n")


def test_methods_say_where_the_size_came_from(store: MemoryStore) -> None:
    said = sized(store, {"a.tif": False}, diameter=12)
    assert "diameter of an object was given as 12 pixels, and images were rescaled, so that this became the 17" in said


def test_a_given_pixel_size_is_called_given(store: MemoryStore) -> None:
    said = sized(store, {"a.tif": True}, pixel_size=0.5)
    assert "The pixel size was given as 0.5 µm, and images were rescaled to the 0.65 µm per pixel" in said


def test_a_pixel_size_of_the_files_is_called_theirs(store: MemoryStore) -> None:
    assert "The pixel size was taken from the image files (0.5 µm)" in sized(store, {"a.tif": True, "b.tif": True})


def test_a_size_that_nobody_knew_is_called_assumed(store: MemoryStore) -> None:
    said = sized(store, {"a.tif": True, "b.tif": False})
    assert "The pixel size of 1 image was taken from the image files (0.5 µm)" in said
    assert "of 1 image was neither given nor in the files: objects of about 17 pixels were assumed" in said


def test_a_size_that_was_estimated_is_called_estimated(store: MemoryStore) -> None:
    made_job(store, {"a.tif": tiff(), "b.tif": tiff()})
    sizes = ("14", "9.5")
    finish(store, "j1", lambda entry: labels_of(1, 40, 50, estimated_diameter_px=sizes[entry.image]))
    said = told(store)
    assert "Of 2 images nothing was known of sizes" in said
    assert "was estimated with the model (9.5 to 14 pixels, 11.75 in the middle), and images were rescaled, so" in said
    assert "assumed" not in said


def test_a_given_channel_is_named(store: MemoryStore) -> None:
    assert "Channel 2, counted from 1, was analysed, as specified." in sized(store, {"a.tif": False}, channel=2)


def test_a_model_that_changed_since_is_named_by_its_digest_and_nothing_is_made_up(store: MemoryStore) -> None:
    made_job(store, {"a.tif": tiff()}, model_digest="older")
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    said = told(store)
    assert "weights: older" in said
    assert "Caicedo" not in said and "percentiles" not in said
    assert "the model's own scale was assumed" in said


def test_a_job_without_labels_has_methods_too(store: MemoryStore) -> None:
    made_job(store, {"a.tif": BAD})
    finish(store, "j1", lambda entry: None)
    assert "Of 1 image 0 were labelled, with 0 objects in all." in told(store)
