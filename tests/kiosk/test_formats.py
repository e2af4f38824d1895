"""Results in the formats of other programs, as those read them."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely.geometry
from arro3.io import read_parquet
from roifile import ImagejRoi

from kiosk.client import CannotSend, Monolayer
from kiosk.client.options import checked_formats
from storage.memory import MemoryStore
from tests.kiosk.front import InProcess, app_of, finish, labels_of, made_job, open_door, tiff

V1 = "/api/v1"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def fetched(store: MemoryStore, query: str) -> zipfile.ZipFile:
    answer = InProcess(app_of(store)).get(f"{V1}/jobs/j1/results{query}")
    assert answer.status_code == 200
    return zipfile.ZipFile(io.BytesIO(answer.content))


def table(archive: zipfile.ZipFile) -> dict[str, list[Any]]:
    found = read_parquet(io.BytesIO(archive.read("cells.parquet"))).read_all()
    return {name: found.column(name).to_pylist() for name in found.column_names}


def test_formats_come_beside_what_always_comes(store: MemoryStore) -> None:
    made_job(store, {"week 1/a.tif": tiff(), "b.png": tiff(seed=1)})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    usual = fetched(store, "").namelist()
    more = fetched(store, "?format=imagej&format=qupath&format=parquet&format=qupath").namelist()
    assert len(more) == len(set(more))
    assert set(more) - set(usual) == {
        "imagej/week 1/a.zip", "qupath/week 1/a.geojson", "imagej/b.zip", "qupath/b.geojson", "cells.parquet",
    }  # fmt: skip


def test_regions_and_objects_are_those_of_the_labels(store: MemoryStore) -> None:
    made_job(store, {"a.tif": tiff((2, 40, 50))})
    finish(store, "j1", lambda entry: labels_of(2, 40, 50))
    archive = fetched(store, "?format=imagej&format=qupath")
    with zipfile.ZipFile(io.BytesIO(archive.read("imagej/a.zip"))) as regions:
        rois = [ImagejRoi.frombytes(regions.read(name)) for name in regions.namelist()]
    assert [(roi.name, roi.position) for roi in rois] == [("000-1", 1), ("000-2", 1), ("001-1", 2), ("001-2", 2)]
    features = json.loads(archive.read("qupath/a.geojson"))["features"]
    assert [shapely.geometry.shape(each["geometry"]).area for each in features] == [100, 150, 100, 150]
    assert [each["properties"]["measurements"]["area_px"] for each in features] == [100, 150, 100, 150]


def test_the_parquet_table_says_what_the_csv_says(store: MemoryStore) -> None:
    made_job(store, {"a.tif": tiff(), "b.tif": tiff()})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50, in_um=entry.name == "b.tif"))
    told = table(fetched(store, "?format=parquet"))
    assert told["image"] == ["a.tif", "a.tif", "b.tif", "b.tif"]
    assert told["plane"] == [0, 0, 0, 0]
    assert told["area_um2"] == [None, None, 25.0, 37.5]
    assert told["intensity_mean"] == [np.float32(0.1), 2000.5] * 2


def test_an_unknown_format_is_refused_with_the_known_ones(store: MemoryStore) -> None:
    made_job(store, {"a.tif": tiff()})
    answer = InProcess(app_of(store)).get(f"{V1}/jobs/j1/results?format=excel")
    assert answer.status_code == 422
    assert "imagej" in answer.json()["detail"]
    with pytest.raises(CannotSend, match="no format 'excel'; there are imagej, qupath, parquet"):
        checked_formats(["imagej,excel"])


def test_formats_are_named_one_by_one_or_with_commas() -> None:
    assert checked_formats(["imagej, parquet", "qupath"]) == ["imagej", "parquet", "qupath"]
    assert checked_formats([]) == []


def test_a_folder_called_like_an_archive_stands_in_nobodys_way(store: MemoryStore) -> None:
    made_job(store, {"a.zip/b.tif": tiff(), "a.tif": tiff(seed=1)})
    finish(store, "j1", lambda entry: labels_of(1, 40, 50))
    names = fetched(store, "?format=imagej").namelist()
    assert "imagej/a.zip" not in names
    assert {"imagej/a.zip/b.zip", "imagej/a.tif.zip"} <= set(names)


def test_the_client_fetches_them(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        [job] = monolayer.submit([tmp_path / "a.tif"])
        written = monolayer.results(job, tmp_path / "out", formats=["imagej", "parquet"])
    assert {tmp_path / "out" / "imagej" / "a.zip", tmp_path / "out" / "cells.parquet"} <= set(written)
