import numpy as np
import pytest

from inference.synthetic import DIAMETER, field


def test_the_same_seed_gives_the_same_image_and_another_seed_another() -> None:
    image, truth = field((200, 300), 3, 50)
    again, truth_again = field((200, 300), 3, 50)
    assert (image == again).all()
    assert (truth == truth_again).all()
    assert (image != field((200, 300), 4, 50)[0]).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_have_the_type_and_shape_that_was_asked(dtype: type[np.uint8 | np.uint16]) -> None:
    image, truth = field((120, 77), 0, 10, dtype)
    assert image.dtype == dtype
    assert truth.dtype == np.int32
    assert image.shape == truth.shape == (120, 77)


def test_truth_holds_as_many_nuclei_as_were_asked_of_typical_size() -> None:
    _, truth = field((600, 600), 1, 150)
    areas = np.bincount(truth.ravel())[1:]
    assert np.flatnonzero(areas).size == truth.max() == 150
    assert 2 * np.sqrt(np.median(areas) / np.pi) == pytest.approx(DIAMETER, rel=0.1)


def test_nuclei_are_brighter_than_the_background() -> None:
    image, truth = field((400, 400), 2, 80)
    assert image[truth > 0].mean() > 3 * image[truth == 0].mean()


def test_a_full_field_holds_fewer_nuclei_than_asked() -> None:
    assert 5 < field((100, 100), 0, 1000)[1].max() < 60


def test_no_cells_give_a_background_alone() -> None:
    image, truth = field((50, 50), 0, 0)
    assert truth.max() == 0
    assert image.std() > 0
