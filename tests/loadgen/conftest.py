"""The pipeline runs once; each test gets a world of its own."""

import pytest

from tests.loadgen.stand import Scene, World, world


@pytest.fixture(scope="session")
def untouched() -> World:
    return world()


@pytest.fixture
def scene(untouched: World) -> Scene:
    return Scene(untouched)
