"""One whole system for all end-to-end tests of a run, observed where Jaeger is there."""

from collections.abc import Iterator

import pytest

from tests.e2e.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    started = System(tmp_path_factory.mktemp("monolayer"))
    started.up()
    try:
        yield started
    finally:
        started.run("down")
