import io
import zipfile

import numpy as np
from numpy.typing import NDArray
from roifile import ROI_TYPE, ImagejRoi
from skimage.draw import polygon2mask

from inference.synthetic import field
from storage.rois import roi_set


def read(data: bytes) -> list[ImagejRoi]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        rois = [ImagejRoi.frombytes(archive.read(name)) for name in archive.namelist()]
        assert [f"{roi.name}.roi" for roi in rois] == archive.namelist()
    return rois


def filled(roi: ImagejRoi, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """By the even-odd rule, as ImageJ fills composite regions, at the centres of pixels."""
    inside = np.zeros(shape, bool)
    for corners in roi.coordinates(multi=True):
        inside ^= polygon2mask(shape, np.asarray(corners, float)[:, ::-1] - 0.5)
    return inside


def awkward() -> NDArray[np.uint16]:
    """A ring around a cell, and one in two pieces."""
    plane = np.zeros((30, 40), np.uint16)
    plane[2:12, 2:12] = 1
    plane[4:9, 5:8] = 2
    plane[20:25, 3:9] = plane[25:29, 9:20] = 7
    return plane


def test_regions_that_roifile_reads_back_fill_to_the_labels_again() -> None:
    _, labels = field((200, 260), seed=5, n_cells=40)
    for plane in (labels, awkward()):
        again = np.zeros_like(plane)
        for roi in read(roi_set(plane[np.newaxis])):
            again[filled(roi, plane.shape)] = int(roi.name)
            assert roi.position == 0
        assert np.array_equal(again, plane)


def test_the_box_of_a_region_is_that_of_its_corners() -> None:
    ring, inner, pieces = read(roi_set(awkward()[np.newaxis]))
    assert (ring.left, ring.top, ring.right, ring.bottom) == (2, 2, 12, 12)
    assert (inner.left, inner.top, inner.right, inner.bottom) == (5, 4, 8, 9)
    assert (pieces.left, pieces.top, pieces.right, pieces.bottom) == (3, 20, 20, 29)
    assert (inner.roitype, ring.composite, pieces.composite) == (ROI_TYPE.TRACED, True, True)


def test_the_regions_of_a_stack_lie_on_their_slices() -> None:
    stack = np.stack([awkward(), awkward()])
    stack[0, stack[0] == 7] = 0
    rois = read(roi_set(stack))
    assert [(roi.name, roi.position) for roi in rois] == [
        ("000-1", 1), ("000-2", 1), ("001-1", 2), ("001-2", 2), ("001-7", 2),
    ]  # fmt: skip


def test_a_region_far_to_the_right_is_where_it_should_be() -> None:
    plane = np.zeros((4, 70_000), np.uint16)
    plane[1:3, 40_000:40_010], plane[1:3, 69_000:69_005] = 1, 2
    near, far = (roi.coordinates() for roi in read(roi_set(plane[np.newaxis])))
    assert (near[:, 0].min(), near[:, 0].max()) == (40_000, 40_010)
    assert (far[:, 0].min(), far[:, 0].max()) == (69_000, 69_005)


def test_the_same_labels_give_the_same_bytes_and_no_labels_an_empty_set() -> None:
    stack = awkward()[np.newaxis]
    assert roi_set(stack) == roi_set(stack.copy())
    assert read(roi_set(np.zeros_like(stack))) == []
