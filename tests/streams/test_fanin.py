"""Many tiles, one image: when are all its maps there?"""

import pytest

from storage import keys
from storage.claims import Claims
from storage.memory import MemoryStore
from storage.objects import NotFound
from streams.events import ImageFound, Source, TilePlanned, TilePredicted
from streams.fanin import FanIn

TILES = 3


def predicted(tile: int) -> TilePredicted:
    found = ImageFound(job="j", image=0, name="a", source=Source(key="k", etag="e"), model="m", model_digest="d")
    about = {"job": "j", "image": 0, "found": found, "plane": 0, "planes": 1, "shape": (9, 9), "scaled": (9, 9)}
    sized = {"plan": "p", "tile": tile, "tiles": TILES, "low": 0, "high": 1, "pixels_shape": (9, 9), "dtype": "uint8"}
    planned = TilePlanned.model_validate({**about, **sized, "pixels": "x"})
    return TilePredicted(job="j", image=0, planned=planned, maps=keys.tile_maps("j", 0, "p", tile))


def test_an_image_is_complete_with_its_last_tile() -> None:  # rule 13
    store = MemoryStore()
    fanin, told = FanIn(store), []
    for tile in range(TILES):
        store.put(predicted(tile).maps, b"maps")
        told.append(fanin.complete(predicted(tile), Claims(store)))
    assert told == [False, False, True]


def test_maps_that_went_before_the_last_tile_came_are_made_again() -> None:  # rule 13
    store = MemoryStore()
    fanin = FanIn(store)
    for tile in range(TILES - 1):
        store.put(predicted(tile).maps, b"maps")
        assert not fanin.complete(predicted(tile), Claims(store))
    store.delete([stat.key for stat in store.list(keys.SCRATCH)])  # an earlier round's end, told once more, tidies up
    with pytest.raises(NotFound):
        fanin.complete(predicted(TILES - 1), Claims(store))
