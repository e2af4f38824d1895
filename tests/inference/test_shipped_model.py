"""The shipped weights, run by ONNX Runtime without a server."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models import shipped_models
from inference.normalize import statistics
from inference.scaling import rescale, scale_for
from inference.scoring import f1
from inference.segmentation import segment
from inference.synthetic import DIAMETER, field
from inference.tiling import core_of, cut, plan, stitch
from inference.wire import MAPS, tensors

NUCLEI = shipped_models()["nuclei"]


def _maps(session: Any, plane: NDArray[Any], max_tile: int = NUCLEI.max_tile) -> NDArray[np.uint8]:
    low, high = statistics(plane, NUCLEI)
    tiles = plan((plane.shape[0], plane.shape[1]), replace(NUCLEI, max_tile=max_tile))
    cores = []
    for tile in tiles.tiles:
        (maps,) = session.run([MAPS], tensors(cut(plane, tile, NUCLEI.stride), low, high))
        cores.append(core_of(maps, tile))
    return stitch(tiles, cores)


def test_tiling_an_image_changes_nothing(session: Any) -> None:
    image, _ = field((600, 550), 11, 180)
    whole, tiled = _maps(session, image), _maps(session, image, max_tile=400)
    assert len(plan(image.shape, replace(NUCLEI, max_tile=400)).tiles) > 4
    assert np.abs(whole.astype(int) - tiled.astype(int)).max() <= 1
    assert (segment(whole, image.shape) == segment(tiled, image.shape)).all()


def test_a_halo_narrower_than_the_networks_reach_is_noticed(session: Any) -> None:
    image, _ = field((600, 200), 11, 60)
    low, high = statistics(image, NUCLEI)
    narrow = replace(NUCLEI, max_tile=336, halo=16)
    tiles = plan(image.shape, narrow)
    cores = [core_of(session.run([MAPS], tensors(cut(image, t, 16), low, high))[0], t) for t in tiles.tiles]
    assert (stitch(tiles, cores) != _maps(session, image)).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("seed", [1, 2])
def test_made_up_nuclei_are_found(session: Any, seed: int, dtype: type[np.uint8 | np.uint16]) -> None:
    image, truth = field((512, 512), seed, 140, dtype)
    assert f1(truth, segment(_maps(session, image), image.shape)) >= 0.8


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_images_of_another_scale_are_found_once_their_diameter_is_given(session: Any, factor: float) -> None:
    image, truth = field((400, 400), 3, 90)
    every, times = max(1, round(1 / factor)), max(1, round(factor))
    truth = np.kron(truth[::every, ::every], np.ones((times, times), np.int32))
    image = rescale(image, factor)
    scaled = rescale(image, scale_for(NUCLEI, None, DIAMETER * factor))
    assert f1(truth, segment(_maps(session, scaled), truth.shape)) >= 0.8


def test_the_same_tile_gives_the_same_bytes(session: Any) -> None:
    image, _ = field((160, 160), 4, 15)
    assert _maps(session, image).tobytes() == _maps(session, image).tobytes()


def test_both_depths_give_the_same_maps_for_the_same_numbers(session: Any) -> None:
    image, _ = field((160, 160), 4, 15, np.uint8)
    assert (_maps(session, image) == _maps(session, image.astype(np.uint16))).all()


@pytest.mark.parametrize("value", [0, 500])
def test_an_empty_image_has_no_nuclei(session: Any, value: int) -> None:
    image = np.full((100, 120), value, np.uint16)
    assert segment(_maps(session, image), image.shape).max() == 0


def test_a_tile_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="2-D array of uint8 or uint16, not 2-D of float32"):
        tensors(np.zeros((16, 16), np.float32), 0, 1)  # type: ignore[arg-type]


def test_the_test_tensors_beside_the_weights_belong_to_them(session: Any) -> None:
    saved = {name: np.load(NUCLEI.folder / f"test-{name}.npy") for name in ("image", "low", "high", "maps")}
    maps = saved.pop("maps")
    (found,) = session.run([MAPS], saved)
    assert np.abs(found.astype(int) - maps.astype(int)).max() <= 1
    assert maps.std() > 0
