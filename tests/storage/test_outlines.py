"""Outlines, judged by libraries that know nothing of how they were made."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from inference.synthetic import field
from storage.outlines import STRIP, Outline, outlines

FEW = hnp.arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


def shape_of(outline: Outline) -> Any:
    return shapely.MultiPolygon([(rings[0], rings[1:]) for rings in outline.polygons])


def filled(outline: Outline, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.indices(shape)
    return np.asarray(shapely.contains_xy(shape_of(outline), columns + 0.5, rows + 0.5))


@settings(max_examples=300)
@given(FEW)
def test_outlines_filled_are_the_labels_again_to_the_pixel(plane: NDArray[np.uint16]) -> None:
    again = np.zeros_like(plane)
    for outline in outlines(plane):
        again[filled(outline, plane.shape)] = outline.label
        assert shape_of(outline).area == np.count_nonzero(plane == outline.label)
    assert np.array_equal(again, plane)


@settings(max_examples=300)
@given(FEW)
def test_each_part_is_a_valid_polygon_of_nothing_but_turns(plane: NDArray[np.uint16]) -> None:
    for outline in outlines(plane):
        for rings in outline.polygons:
            assert shapely.Polygon(rings[0], rings[1:]).is_valid
            for ring in rings:
                steps = np.roll(ring, -1, axis=0) - ring
                assert ((steps == 0).sum(axis=1) == 1).all()
                assert ((steps[:, 0] == 0) != (np.roll(steps, 1, axis=0)[:, 0] == 0)).all()


def test_a_real_field_has_one_outline_per_cell_and_touching_cells_share_no_pixel() -> None:
    _, labels = field((300, 280), seed=3, n_cells=60)
    found = list(outlines(labels))
    assert [outline.label for outline in found] == [label for label in np.unique(labels).tolist() if label]
    covered = sum(filled(outline, labels.shape).astype(int) for outline in found)
    assert np.array_equal(covered, (labels > 0).astype(int))


def test_a_ring_around_another_cell_has_a_hole_where_that_lies() -> None:
    plane = np.zeros((9, 9), np.uint16)
    plane[1:8, 1:8] = 1
    plane[3:6, 3:6] = 2
    ring, inner = outlines(plane)
    [[outside, hole]] = ring.polygons
    [[edge]] = inner.polygons
    assert sorted(map(tuple, outside.tolist())) == [(1, 1), (1, 8), (8, 1), (8, 8)]
    assert sorted(map(tuple, hole.tolist())) == sorted(map(tuple, edge.tolist())) == [(3, 3), (3, 6), (6, 3), (6, 6)]


def test_the_parts_of_a_cell_in_two_pieces_belong_to_one_outline() -> None:
    plane = np.zeros((4, 9), np.uint16)
    plane[:, :2] = plane[:, 7:] = 5
    [outline] = outlines(plane)
    assert outline.label == 5
    assert len(outline.polygons) == 2


@pytest.mark.parametrize("top", [STRIP - 3, STRIP, 2 * STRIP - 1])
def test_a_cell_is_whole_wherever_the_strips_end(top: int) -> None:
    plane = np.zeros((3 * STRIP, 40), np.uint32)
    plane[top : top + 7, 30:40] = 70_000
    [outline] = outlines(plane)
    assert shape_of(outline).bounds == (30, top, 40, top + 7)


def test_a_plane_without_cells_has_no_outlines() -> None:
    assert not list(outlines(np.zeros((5, 5), np.uint16)))
    assert not list(outlines(np.zeros((0, 5), np.uint16)))
