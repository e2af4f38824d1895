import imagecodecs
import numpy as np
import pytest

from storage.overlays import overlay_png


def squares(size: int = 200, step: int = 20) -> np.ndarray:
    labels = np.zeros((size, size), np.int32)
    for number, (top, left) in enumerate(np.ndindex(size // step, size // step)):
        labels[top * step + 1 : (top + 1) * step, left * step + 1 : (left + 1) * step] = number + 1
    return labels


def coloured(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 0] != picture[..., 1]) | (picture[..., 1] != picture[..., 2])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_picture_is_grey_with_thin_coloured_outlines_on_the_cells(dtype: type[np.unsignedinteger]) -> None:
    plane = np.random.default_rng(0).integers(20, 200, (200, 200)).astype(dtype)
    labels = squares()
    picture = imagecodecs.png_decode(overlay_png(plane, labels))
    assert picture.shape == (200, 200, 3)
    outline = coloured(picture)
    assert not outline[labels == 0].any()
    assert outline[1, 1:20].all()
    assert not outline[2:18, 2:18][1:-1, 1:-1].any()


def test_contrast_is_stretched_from_black_to_white() -> None:
    plane = np.tile(np.linspace(1000, 1100, 200).astype(np.uint16), (200, 1))
    picture = imagecodecs.png_decode(overlay_png(plane, np.zeros((200, 200), np.int32)))
    assert picture.min() < 5
    assert picture.max() > 250


def test_neighbours_differ_in_colour() -> None:
    labels = squares()
    shuffled = np.concatenate([[0], np.random.default_rng(1).permutation(labels.max()) + 1])[labels]
    picture = imagecodecs.png_decode(overlay_png(np.zeros((200, 200), np.uint8), shuffled))
    corners = picture[1:200:20, 1:200:20].astype(int)
    assert (np.abs(np.diff(corners, axis=0)).sum(-1) > 0).all()
    assert (np.abs(np.diff(corners, axis=1)).sum(-1) > 0).all()


def test_large_images_are_made_smaller() -> None:
    labels = np.zeros((600, 5000), np.int64)
    labels[100:400, 100:2000] = 70_000
    picture = imagecodecs.png_decode(overlay_png(np.zeros((600, 5000), np.uint16), labels))
    assert picture.shape == (246, 2048, 3)
    assert coloured(picture).any()


@pytest.mark.parametrize("labels", [np.zeros((5, 5), np.int32), np.ones((5, 5), np.int32), np.full((1, 1), 9)])
def test_odd_images_are_drawn_as_well(labels: np.ndarray) -> None:
    assert overlay_png(np.full(labels.shape, 7, np.uint8), labels).startswith(b"\x89PNG")
