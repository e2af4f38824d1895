import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops_table

from inference.measure import measure


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([np.uint8, np.uint16]))
def test_measurements_are_those_of_scikit_image(
    height: int, width: int, seed: int, dtype: type[np.uint8 | np.uint16]
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, (height, width)).astype(np.int32)
    plane = rng.integers(0, int(np.iinfo(dtype).max) + 1, (height, width)).astype(dtype)
    wanted = regionprops_table(
        labels, plane, properties=("label", "area", "centroid", "bbox", "intensity_mean", "equivalent_diameter_area")
    )
    found = measure(labels, plane, None).columns
    pairs = {
        "label": "label",
        "area_px": "area",
        "centroid_y_px": "centroid-0",
        "centroid_x_px": "centroid-1",
        "bbox_top_px": "bbox-0",
        "bbox_left_px": "bbox-1",
        "bbox_bottom_px": "bbox-2",
        "bbox_right_px": "bbox-3",
        "diameter_px": "equivalent_diameter_area",
        "intensity_mean": "intensity_mean",
    }
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(found[ours], wanted[theirs], err_msg=ours)
    np.testing.assert_array_equal(found["intensity_total"], [plane[labels == n].sum() for n in found["label"]])


def test_micrometres_appear_only_when_the_pixel_size_is_known() -> None:
    labels = np.zeros((10, 10), np.int32)
    labels[2:6, 4:8] = 1
    plain, scaled = measure(labels, labels.astype(np.uint8), None), measure(labels, labels.astype(np.uint8), 0.5)
    assert not any(name.endswith(("_um", "_um2")) for name in plain.columns)
    assert scaled.columns["area_um2"] == 4.0
    assert scaled.columns["centroid_y_um"] == 1.75
    assert scaled.columns["centroid_x_um"] == 2.75
    assert scaled.columns["diameter_um"] == scaled.columns["diameter_px"] * 0.5


def test_objects_that_may_go_on_outside_the_image_are_marked() -> None:
    labels = np.zeros((9, 12), np.int32)
    labels[3:5, 3:5] = 1
    for number, place in enumerate([(0, 5), (8, 5), (4, 0), (4, 11)], start=2):
        labels[place] = number
    assert measure(labels, labels.astype(np.uint8), None).columns["at_border"].tolist() == [False, *[True] * 4]


def test_an_image_without_objects_gives_an_empty_table_with_all_columns() -> None:
    empty = np.zeros((8, 8), np.int32)
    cells = measure(empty, empty.astype(np.uint16), 0.5)
    assert len(cells) == 0
    assert all(len(column) == 0 for column in cells.columns.values())
    assert "area_um2" in cells.columns


def test_labels_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="don't belong to an image of shape"):
        measure(np.zeros((8, 8), np.int32), np.zeros((8, 9), np.uint8), None)


def test_images_may_be_read_only_parts_of_a_larger_array() -> None:
    labels, plane = np.eye(8, dtype=np.int32), np.arange(64, dtype=np.uint16).reshape(8, 8)
    labels.flags.writeable = plane.flags.writeable = False
    cells = measure(labels[::2, 1:5], plane[::2, 1:5], None)
    assert cells.columns["intensity_total"].tolist() == [int((labels * plane)[::2, 1:5].sum())]
