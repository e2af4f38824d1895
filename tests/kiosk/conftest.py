"""One front door for all tests of the command line: a server takes longer to stop than a test takes."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kiosk.front import BAD, Bucket, images_in, open_door, tiff


@pytest.fixture(scope="session")
def opened() -> Iterator[tuple[str, Bucket]]:
    with open_door() as (address, store, _):
        yield address, store


@pytest.fixture
def door(opened: tuple[str, Bucket]) -> tuple[str, Bucket]:
    """The door's address and its bucket, empty."""
    opened[1].delete([stat.key for stat in opened[1].list("")])
    return opened


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return images_in(tmp_path / "good [1]", 2)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        archive.writestr("a.tif", tiff())
        for number in range(12):
            archive.writestr(f"bad{number:02d}.tif", BAD)
    return tmp_path / "mixed.zip"
