import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from storage.labels import TAG, read_cells, read_labels, write_labels

FACTS = {"image": 'Präparat <1> & "2".tif', "model": "nuclei", "model_version": "1.2", "source_crc": "0badcafe"}
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))
COLUMNS = st.integers(0, 20).flatmap(
    lambda rows: st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.sampled_from([np.int64, np.int32, np.uint16, np.float32, np.float64, np.bool_]).flatmap(
            lambda dtype: hnp.arrays(dtype, rows)
        ),
        max_size=4,
    )
)


def some_labels(seed: int = 0, size: int = 100, count: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, (size, size), np.int32)


def some_cells() -> dict[str, np.ndarray]:
    return {"label": np.arange(1, 20, dtype=np.int32), "area": np.linspace(1, 9, 19), "edge": np.arange(19) % 2 == 0}


def document(data: bytes) -> ElementTree.Element:
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        assert tif.ome_metadata
        return ElementTree.fromstring(tif.ome_metadata)


@settings(max_examples=80)
@given(
    SHAPES.flatmap(lambda shape: hnp.arrays(np.int32, shape, elements=st.integers(0, 70_000))),
    COLUMNS,
    st.none() | st.floats(0.001, 1000, exclude_min=True),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
def test_what_was_written_is_read_back(
    labels: np.ndarray, cells: dict[str, np.ndarray], pixel_size: float | None, facts: dict[str, str]
) -> None:
    data = write_labels(labels, cells, pixel_size, facts)
    read = read_labels(data)
    assert np.array_equal(read.labels, labels)
    assert read.labels.dtype == (np.uint16 if labels.max() < 65536 else np.uint32)
    assert list(read.cells) == list(cells)
    for name, column in cells.items():
        assert read.cells[name].dtype == column.dtype
        assert np.array_equal(read.cells[name], column, equal_nan=column.dtype.kind == "f")
    assert read.pixel_size == pixel_size
    assert read.facts == facts
    assert read_cells(data).keys() == cells.keys()
    assert write_labels(labels, cells, pixel_size, facts) == data


def test_a_single_plane_may_come_without_its_axis() -> None:
    labels = some_labels()
    assert np.array_equal(read_labels(write_labels(labels, {}, None, {})).labels, labels[None])


def test_many_labels_need_and_get_32_bits() -> None:
    labels = np.arange(300 * 300, dtype=np.int32).reshape(300, 300)
    read = read_labels(write_labels(labels, {"label": np.arange(1, 90_000)}, 0.5, FACTS))
    assert read.labels.dtype == np.uint32
    assert np.array_equal(read.labels[0], labels)


def test_large_images_lie_in_several_strips() -> None:
    labels = np.repeat(some_labels(size=1500), 2, 0)
    data = write_labels(labels, {}, None, {})
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        assert len(tif.pages.first.dataoffsets) > 3
    assert np.array_equal(read_labels(data).labels[0], labels)


def test_the_bytes_are_the_same_in_another_process() -> None:
    code = (
        "import sys, numpy as np; from storage.labels import write_labels; from tests.storage import test_labels as t;"
        "sys.stdout.buffer.write(write_labels(t.some_labels(), t.some_cells(), 0.5, dict(reversed(t.FACTS.items()))))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert other.stdout == write_labels(some_labels(), some_cells(), 0.5, FACTS)


def test_other_labels_have_another_uuid_and_the_same_ones_the_same() -> None:
    names = [
        document(write_labels(some_labels(seed), some_cells(), 0.5, facts)).attrib["UUID"]
        for seed, facts in ((1, FACTS), (1, FACTS), (2, FACTS), (1, {}))
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 3


def test_other_programs_see_an_ome_tiff_with_its_scale_and_facts() -> None:
    data = write_labels(np.stack([some_labels(1), some_labels(2)]), some_cells(), 0.325, FACTS)
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        assert tif.is_ome
        assert tif.series[0].axes == "ZYX"
        assert np.array_equal(tif.asarray()[1], some_labels(2))
        across, unit = tif.pages.first.tags["XResolution"].value, tif.pages.first.tags["ResolutionUnit"].value
        assert across[0] / across[1] == pytest.approx(1e4 / 0.325)
        assert unit == 3
        assert "DateTime" not in tif.pages.first.tags
    root = document(data)
    space = {"": root.tag[1:].split("}")[0]}
    pixels = root.find("Image/Pixels", space)
    assert pixels is not None
    assert float(pixels.attrib["PhysicalSizeX"]) == 0.325
    assert pixels.attrib["PhysicalSizeYUnit"] == "µm"
    facts = {
        fact.attrib["K"]: fact.text for fact in root.iterfind("StructuredAnnotations/MapAnnotation/Value/M", space)
    }
    assert facts == FACTS


def test_our_own_reader_takes_labels_as_an_image() -> None:
    from storage.images import read_image

    read = read_image(write_labels(some_labels(), {}, 0.325, FACTS), "labels.tif")
    assert np.array_equal(read.planes[0], some_labels())
    assert read.pixel_size == 0.325


def test_cells_are_read_without_touching_the_pixels() -> None:
    data = bytearray(write_labels(some_labels(), some_cells(), 0.5, FACTS))
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        start, length = tif.pages.first.dataoffsets[0], tif.pages.first.databytecounts[0]
    data[start : start + length] = b"\xff" * length
    assert np.array_equal(read_cells(bytes(data))["area"], some_cells()["area"])


@pytest.mark.parametrize(
    "cells", [{"a": np.arange(3), "b": np.arange(4)}, {"a": np.zeros((2, 2))}, {"a": np.array(["x"])}], ids=str
)
def test_columns_that_are_no_table_are_refused(cells: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cells"):
        write_labels(some_labels(), cells, None, {})


def test_the_private_tag_is_in_the_range_for_private_tags() -> None:
    assert 65_000 <= TAG < 65_536
