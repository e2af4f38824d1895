import io
import zipfile
from pathlib import Path

import pytest
import tifffile

from loadgen.chaos.images import STACK_EVERY, Nature, write_archive


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    written = [write_archive(tmp_path / f"{number}.zip", 20, 64, seed) for number, seed in enumerate((1, 1, 2))]
    first, second, third = (archive.path.read_bytes() for archive in written)
    assert first == second
    assert first != third


def test_images_are_distinct_and_some_are_stacks(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", STACK_EVERY, 64, 1)
    with zipfile.ZipFile(archive.path) as opened:
        files = [opened.read(name) for name in opened.namelist()]
    assert len(set(files)) == STACK_EVERY
    shapes = [tifffile.imread(io.BytesIO(data)).shape for data in files]
    assert shapes == [(64, 64)] * (STACK_EVERY - 1) + [(2, 64, 64)]


def test_members_are_where_the_archive_says(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", 5, 64, 1)
    data = archive.path.read_bytes()
    assert all(data[member.offset :].startswith(b"PK\3\4") for member in archive.members)


def test_a_damaged_image_can_be_read_by_nobody(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", 10, 64, 1, poison=0.1)
    [damaged] = archive.of(Nature.DAMAGED)
    with zipfile.ZipFile(archive.path) as opened:
        data = opened.read(opened.namelist()[damaged])
    with pytest.raises(ValueError, match=r"reshape|read"):
        tifffile.imread(io.BytesIO(data))


def test_poison_is_damaged_and_deadly_in_turn(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", 100, 64, 1, poison=0.04)
    assert (len(archive.of(Nature.DAMAGED)), len(archive.of(Nature.KILLER))) == (2, 2)
