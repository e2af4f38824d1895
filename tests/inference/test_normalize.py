from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.models import shipped_models
from inference.normalize import statistics

NUCLEI = shipped_models()["nuclei"]


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.uint8, np.uint16]),
    st.floats(0, 49),
    st.floats(51, 100),
)
def test_statistics_are_numpys_percentiles(
    height: int, width: int, seed: int, dtype: type[np.uint8 | np.uint16], low: float, high: float
) -> None:
    top = int(np.iinfo(dtype).max)
    plane = np.random.default_rng(seed).integers(0, top + 1, (height, width)).astype(dtype)
    expected = np.percentile(plane, (low, high))
    found = statistics(plane, replace(NUCLEI, percentiles=(low, high)))
    if expected[1] > expected[0]:
        assert found == pytest.approx(tuple(expected), abs=1e-6 * top)


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_flat_image_still_has_a_span(value: int) -> None:
    assert statistics(np.full((20, 20), value, np.uint16), NUCLEI) == (value, value + 1)


def test_parts_of_larger_arrays_are_measured_as_they_are() -> None:
    plane = np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16)
    assert statistics(plane[5:50:2, ::3], NUCLEI) == statistics(plane[5:50:2, ::3].copy(), NUCLEI)


def test_other_types_and_empty_planes_are_refused() -> None:
    with pytest.raises(TypeError, match="uint8 or uint16, not 2-D of float32"):
        statistics(np.zeros((4, 4), np.float32), NUCLEI)
    with pytest.raises(ValueError, match="0 x 4 px has no pixels"):
        statistics(np.zeros((0, 4), np.uint8), NUCLEI)
