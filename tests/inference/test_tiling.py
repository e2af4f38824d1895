from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.models import Model, shipped_models
from inference.tiling import Plan, core_of, cut, plan, stitch

NUCLEI = shipped_models()["nuclei"]
SMALL = replace(NUCLEI, halo=16, stride=8, max_tile=64)

sides = st.integers(1, 200)
models = st.builds(
    lambda stride, halo, more: replace(NUCLEI, stride=stride, halo=halo * stride, max_tile=(2 * halo + more) * stride),
    st.sampled_from([4, 8, 16]),
    st.integers(1, 3),
    st.integers(2, 8),
)


@given(sides, sides, models)
def test_cores_cover_every_pixel_exactly_once(height: int, width: int, model: Model) -> None:
    seen = np.zeros((height, width), int)
    for tile in plan((height, width), model).tiles:
        seen[tile.core.top : tile.core.bottom, tile.core.left : tile.core.right] += 1
    assert (seen == 1).all()


@given(sides, sides, models)
def test_tiles_are_read_inside_the_image_with_a_whole_halo_on_the_strides_grid(
    height: int, width: int, model: Model
) -> None:
    for tile in plan((height, width), model).tiles:
        read, core = tile.read, tile.core
        assert read.top == max(0, core.top - model.halo)
        assert read.left == max(0, core.left - model.halo)
        assert read.bottom == min(height, core.bottom + model.halo)
        assert read.right == min(width, core.right + model.halo)
        assert read.top % model.stride == read.left % model.stride == 0
        assert max(-(-side // model.stride) * model.stride for side in read.shape) <= model.max_tile


@given(sides, sides, models, st.sampled_from([np.uint8, np.uint16]))
def test_what_is_cut_and_stitched_again_is_the_image(height: int, width: int, model: Model, dtype: type) -> None:
    plane = np.random.default_rng(height * 1000 + width).integers(0, 255, (height, width)).astype(dtype)
    tiles = plan(plane.shape, model)
    cores = []
    for tile in tiles.tiles:
        part = cut(plane, tile, model.stride)
        assert part.dtype == dtype
        assert part.shape[0] % model.stride == part.shape[1] % model.stride == 0
        cores.append(core_of(np.stack([part, part]), tile))
    assert (stitch(tiles, cores) == plane).all()


@pytest.mark.parametrize("height", [1000, 1024, 1040, 1200, 1530, 1536])
def test_an_image_of_a_megapixel_or_two_is_one_tile(height: int) -> None:
    assert len(plan((height, 1392), NUCLEI).tiles) == 1


@pytest.mark.parametrize(("side", "count"), [(1537, 4), (2048, 4), (2816, 4), (2817, 9), (4096, 16)])
def test_there_are_no_more_tiles_than_needed(side: int, count: int) -> None:
    assert len(plan((side, side), NUCLEI).tiles) == count


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (3, 5), (17, 9)])
def test_images_smaller_than_the_stride_are_reflected_to_it(height: int, width: int) -> None:
    plane = np.arange(height * width, dtype=np.uint16).reshape(height, width)
    (tile,) = plan(plane.shape, NUCLEI).tiles
    part = cut(plane, tile, NUCLEI.stride)
    assert part.shape == (-(-height // 16) * 16, -(-width // 16) * 16)
    assert (part == np.pad(plane, [(0, part.shape[0] - height), (0, part.shape[1] - width)], "reflect")).all()


def test_one_tile_is_stitched_without_a_copy() -> None:
    core = np.zeros((2, 30, 40), np.uint8)
    assert stitch(plan((30, 40), NUCLEI), [core]) is core


@settings(max_examples=20)
@given(
    st.sampled_from(
        [
            lambda: plan((101, 100), SMALL),
            lambda: plan((100, 100), replace(SMALL, digest="other")),
            lambda: plan((100, 100), replace(SMALL, halo=8)),
            lambda: plan((100, 100), replace(SMALL, max_tile=72)),
        ]
    )
)
def test_the_digest_changes_with_everything_that_decides_the_plan(other: object) -> None:
    first = plan((100, 100), SMALL)
    assert callable(other)
    changed: Plan = other()
    assert first.digest == plan((100, 100), SMALL).digest != changed.digest


def test_cores_that_dont_fit_the_plan_are_refused() -> None:
    tiles = plan((100, 100), SMALL)
    with pytest.raises(ValueError, match="tiles, but 0 cores came"):
        stitch(tiles, [])
    wrong = [np.zeros((2, 1, 1), np.uint8) for _ in tiles.tiles]
    with pytest.raises(ValueError, match="the core of tile 0 has shape"):
        stitch(tiles, wrong)
    with pytest.raises(ValueError, match="tile 0 was read as"):
        core_of(np.zeros((2, 8, 8), np.uint8), tiles.tiles[0])
    with pytest.raises(ValueError, match="0 x 5 px"):
        plan((0, 5), SMALL)
