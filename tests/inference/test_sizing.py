from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models import shipped_models
from inference.scaling import rescale, scale_for
from inference.sizing import Search
from inference.synthetic import DIAMETER, field
from inference.wire import MAPS, tensors

NUCLEI = shipped_models()["nuclei"]


def _searched(plane: NDArray[Any], session: Any) -> tuple[float | None, int]:
    """The diameter found, and how many pixels the model computed."""
    search, pixels = Search(plane, NUCLEI), 0
    while search.asked:
        pixels += search.asked[0].size
        search.answer(session.run([MAPS], tensors(*search.asked))[0])
    return search.diameter, pixels


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("cells", [60, 400])
def test_the_size_of_nuclei_is_found_whatever_it_is(session: Any, cells: int, factor: float) -> None:
    image, truth = field((512, 512), 5, cells)
    areas = np.bincount(truth.ravel())[1:]
    size = 2 * np.sqrt(np.median(areas) / np.pi) * factor
    diameter, _ = _searched(rescale(image, factor), session)
    assert diameter == pytest.approx(size, rel=0.2)


def test_a_large_image_costs_no_more_than_a_small_one_of_the_same_nuclei(session: Any) -> None:
    image, _ = field((1500, 1500), 6, 1500)
    diameter, pixels = _searched(image, session)
    assert diameter == NUCLEI.diameter
    assert pixels <= 4 * 256**2


@pytest.mark.parametrize("shape", [(1, 1), (40, 700), (300, 300)])
def test_where_nothing_is_no_size_is_told(session: Any, shape: tuple[int, int]) -> None:
    assert _searched(np.full(shape, 90, np.uint16), session)[0] is None


def test_an_image_of_nearly_the_models_scale_is_left_as_it_is(session: Any) -> None:
    image, _ = field((400, 400), 9, 100)
    assert scale_for(NUCLEI, None, _searched(rescale(image, 1.08), session)[0]) == 1.0


def test_the_same_image_gives_the_same_size(session: Any) -> None:
    image, _ = field((300, 300), 7, 80)
    assert _searched(image, session) == _searched(image, session)


def test_nuclei_in_a_corner_are_looked_for_there(session: Any) -> None:
    image = np.full((1600, 1600), 300, np.uint16)
    corner, _ = field((220, 220), 8, 60)
    image[-220:, :220] = corner
    diameter, _ = _searched(image, session)
    assert diameter == pytest.approx(DIAMETER, rel=0.2)
