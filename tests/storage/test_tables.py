import io
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from arro3.io import read_parquet

from storage.labels import Cells
from storage.pulled import pulled
from storage.tables import GROUP, parquet, small

KINDS = {"plane": np.dtype("i8"), "label": np.dtype("i4"), "area_um2": np.dtype("f8"), "edge": np.dtype("?")}


def cells(count: int, first: int = 1) -> Cells:
    return {"label": np.arange(first, first + count, dtype="<i4"), "edge": np.arange(count) % 2 == 0}


def read(data: bytes) -> dict[str, list[Any]]:
    table = read_parquet(io.BytesIO(data)).read_all()
    return {name: table.column(name).to_pylist() for name in table.column_names}


def test_a_table_that_is_read_back_has_every_image_and_nulls_where_nothing_was_measured() -> None:
    second = cells(1) | {"plane": np.array([2]), "area_um2": np.array([1.5], np.float32)}
    told = read(b"".join(parquet(KINDS, [("ä/1.tif", cells(2)), ("none.tif", {}), ("2.tif", second)])))
    assert told == {
        "image": ["ä/1.tif", "ä/1.tif", "2.tif"],
        "plane": [0, 0, 2],
        "label": [1, 2, 1],
        "area_um2": [None, None, 1.5],
        "edge": [True, False, True],
    }


def test_a_small_table_keeps_the_kinds_of_its_columns() -> None:
    columns = {"name": ["ä", ""], "warm": [True, False], "image": [7, 2**40], "seconds": [0.5, float("inf")]}
    assert read(small(columns)) == columns  # type: ignore[arg-type]


def test_a_table_without_rows_still_has_its_columns() -> None:
    assert read(b"".join(parquet({"plane": np.dtype("i8")}, []))) == {"image": [], "plane": []}


def test_images_are_asked_for_while_the_table_is_pulled_and_not_before() -> None:
    asked: list[int] = []

    def images() -> Iterator[tuple[str, Cells]]:
        for number in range(40):
            asked.append(number)
            yield f"{number}.tif", {"label": np.random.default_rng(number).integers(0, 2**31, GROUP, np.int32)}

    table = parquet({"label": np.dtype("i4")}, images())
    assert asked == []
    next(table)
    assert 0 < len(asked) < 40
    table.close()  # type: ignore[attr-defined]
    assert len(asked) < 40
    assert not [thread for thread in threading.enumerate() if thread.name == "pulled" and thread.join(10)]
    assert "pulled" not in {thread.name for thread in threading.enumerate()}


def test_trouble_while_a_file_is_written_reaches_whoever_pulls() -> None:
    def write(file: io.RawIOBase) -> None:
        file.write(b"so far")
        raise ValueError("no further")

    pieces = pulled(write)
    assert next(pieces) == b"so far"
    with pytest.raises(ValueError, match="no further"):
        next(pieces)
