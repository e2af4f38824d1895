from pathlib import Path

import numpy as np
import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

import kiosk
from kiosk.napari import open_labels, reader
from tests.kiosk.front import labels_of, tiff


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "labels" / "deep").mkdir(parents=True)
    (tmp_path / "labels" / "deep" / "a.tif").write_bytes(labels_of(1, 40, 50, in_um=True))
    (tmp_path / "labels" / "b.tif").write_bytes(labels_of(3, 40, 50))
    return tmp_path


def test_a_label_image_opens_as_labels_with_its_measurements(results: Path) -> None:
    path = str(results / "labels" / "deep" / "a.tif")
    assert reader(path) is open_labels
    [(planes, known, kind)] = open_labels(path)
    assert (kind, planes.shape, known["metadata"]["pixel_size_um"], known["name"]) == (
        "labels", (40, 50), 0.5, "a",
    )  # fmt: skip
    assert np.array_equal(known["features"]["index"], [1, 2])
    assert np.array_equal(known["features"]["area_um2"], [25.0, 37.5])


def test_a_folder_of_results_opens_with_all_its_images(results: Path) -> None:
    assert reader(str(results)) is open_labels
    assert [planes.shape for planes, _, _ in open_labels(str(results))] == [(3, 40, 50), (40, 50)]


def test_images_of_others_are_left_to_others(results: Path) -> None:
    (results / "image.tif").write_bytes(tiff())
    (results / "text.tif").write_bytes(b"no image")
    for path in (results / "image.tif", results / "text.tif", results / "none.tif", results / "labels" / "deep" / "x"):
        assert reader(str(path)) is None
    assert reader([str(results / "labels" / "b.tif"), str(results / "image.tif")]) is None


def test_the_manifest_that_napari_reads_names_the_reader() -> None:
    manifest = yaml.safe_load((Path(kiosk.__file__).parent / "napari.yaml").read_text())
    [command] = manifest["contributions"]["commands"]
    assert command["python_name"] == f"{reader.__module__}:{reader.__name__}"
    assert manifest["contributions"]["readers"][0]["command"] == command["id"]
