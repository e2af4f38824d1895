from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.models import Model, shipped_models
from inference.scaling import rescale, scale_for

NUCLEI = replace(shipped_models()["nuclei"], pixel_size=0.5, diameter=24.0)


@pytest.mark.parametrize(
    ("pixel_size", "diameter", "factor"),
    [
        (None, None, 1.0),
        (0.25, None, 0.5),
        (1.0, None, 2.0),
        (None, 48.0, 0.5),
        (None, 12.0, 2.0),
        (0.25, 12.0, 2.0),  # the diameter was measured in this very image: it decides
        (None, 1000.0, 0.25),
        (50.0, None, 4.0),
    ],
)
def test_images_are_enlarged_to_the_models_scale_within_limits(
    pixel_size: float | None, diameter: float | None, factor: float
) -> None:
    assert scale_for(NUCLEI, pixel_size, diameter) == factor


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), 1e-9, 1e9])
def test_nonsense_sizes_are_refused_with_a_sentence(value: float) -> None:
    with pytest.raises(ValueError, match=r"The pixel size is .* µm; expected .* µm\."):
        scale_for(NUCLEI, value, None)
    with pytest.raises(ValueError, match=r"The object diameter is .* px; expected .* px\."):
        scale_for(NUCLEI, None, value)


def test_factor_one_returns_the_plane_itself() -> None:
    plane = np.zeros((4, 5), np.uint16)
    assert rescale(plane, 1.0) is plane


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.floats(0.25, 4.0),
    st.sampled_from([np.uint8, np.uint16]),
)
def test_rescaling_keeps_the_type_and_a_flat_image_flat(height: int, width: int, factor: float, dtype: type) -> None:
    result = rescale(np.full((height, width), 200, dtype), factor)
    assert result.dtype == dtype
    assert result.shape == (max(1, round(height * factor)), max(1, round(width * factor)))
    assert (result == 200).all()


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    checkers = np.indices((64, 64)).sum(axis=0).astype(np.uint16) % 2 * 1000
    assert np.ptp(rescale(checkers, 0.5)) == 0


def test_the_models_numbers_decide_the_factor() -> None:
    other: Model = replace(NUCLEI, pixel_size=0.25, diameter=30.0)
    assert scale_for(other, 0.5, None) == 2.0
    assert scale_for(other, None, 15.0) == 2.0
