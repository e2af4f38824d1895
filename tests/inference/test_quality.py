import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference.measure import measure
from inference.quality import BAND, quality
from inference.synthetic import field

PLANE, LABELS = field((400, 420), seed=2, n_cells=80)
DIAMETERS = measure(LABELS, PLANE, None).columns["diameter_px"]


def focus(plane: NDArray[np.uint16], labels: NDArray[np.int32] = LABELS, scale: float = 1.0) -> float:
    found = quality(plane, labels, DIAMETERS * scale).focus
    assert found is not None
    return found


def blurred(share: float) -> NDArray[np.uint16]:
    """By a Gaussian of so large a share of a typical diameter."""
    return np.asarray(cv2.GaussianBlur(PLANE, (0, 0), share * float(np.median(DIAMETERS))))


def enlarged(plane: NDArray[np.generic], by: int) -> NDArray[np.generic]:
    return np.asarray(cv2.resize(plane, None, fx=by, fy=by, interpolation=cv2.INTER_NEAREST))


def test_the_more_an_image_is_blurred_the_lower_is_its_focus() -> None:
    found = [focus(PLANE), *(focus(blurred(share)) for share in (0.08, 0.16, 0.3))]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0] / 3


def test_contrast_and_brightness_do_not_count() -> None:
    darker = (PLANE // 4 + 100).astype(np.uint16)
    assert focus(darker) == pytest.approx(focus(PLANE), rel=0.05)


def test_how_much_an_image_is_enlarged_does_not_count() -> None:
    larger, labels = enlarged(PLANE, 3), enlarged(LABELS, 3)
    assert focus(larger, labels, scale=3.0) == pytest.approx(focus(PLANE), rel=0.15)  # type: ignore[arg-type]


def test_an_image_of_several_bands_is_judged_as_one() -> None:
    tall = np.tile(PLANE, (3 * BAND // PLANE.size + 1, 1))
    labels = np.tile(LABELS, (len(tall) // len(LABELS), 1))
    assert focus(tall, labels) == pytest.approx(focus(PLANE), rel=0.05)


def test_where_there_are_no_cells_nobody_can_tell_the_focus() -> None:
    assert quality(PLANE, np.zeros_like(LABELS), np.zeros(0)).focus is None


def test_an_even_image_has_no_focus() -> None:
    assert quality(np.full_like(PLANE, 700), LABELS, DIAMETERS).focus is None


@pytest.mark.parametrize("last", [255, 1023, 4095, 65520, 65535])
def test_pixels_at_the_last_value_of_a_camera_are_saturated(last: int) -> None:
    plane = np.full((100, 100), 90, np.uint8 if last == 255 else np.uint16)
    plane[:5, :40] = last
    assert quality(plane, np.zeros((100, 100), np.int32), np.zeros(0)).saturated == 0.02


def test_the_brightest_pixels_of_an_image_that_leaves_room_are_not_saturated() -> None:
    plane = np.full((100, 100), 90, np.uint16)
    plane[:5, :40] = 3000
    assert quality(plane, np.zeros((100, 100), np.int32), np.zeros(0)).saturated == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_images_of_any_shape_are_judged(shape: tuple[int, int]) -> None:
    labels = np.ones(shape, np.int32)
    for diameter in (1.0, 24.0, 400.0):
        quality(np.arange(labels.size, dtype=np.uint16).reshape(shape), labels, np.array([diameter]))
