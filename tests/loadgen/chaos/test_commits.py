"""Every commit is held against what had been announced by then."""

import struct
from collections.abc import Iterator

import pytest

from loadgen.chaos.commits import OFFSETS, Acknowledged, acknowledged, decode
from loadgen.topics import Record
from streams.events import Event, ImageEnded, ImageFound, Source
from tests.loadgen.stand import planned

IMAGES, TILES = "images.bulk", "tiles.bulk"
FOUND = ImageFound(
    job="j", image=0, name="a.tif", source=Source(key="k", etag="e", size=1), model="nuclei", model_digest="d" * 64
)


class Told:
    """Topics with what a test says: an event at a second, a commit at a second."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}

    def event(self, topic: str, event: Event, at: float) -> None:
        self._add(topic, event.encode(), b"", at)

    def commit(self, offset: int, at: float, group: str = "tile.bulk") -> None:
        key = struct.pack(">h", 1) + text(group) + text(IMAGES) + struct.pack(">i", 0)
        self._add(OFFSETS, struct.pack(">hqi", 3, offset, -1) + text("") + struct.pack(">q", 0), key, at)

    def read(self, topic: str) -> Iterator[Record]:
        return iter(self.records.get(topic, []))

    def forgotten(self, topic: str) -> set[int]:
        raise NotImplementedError

    def committed(self, topic: str, group: str) -> dict[int, int]:
        raise NotImplementedError

    def _add(self, topic: str, value: bytes, key: bytes, at: float) -> None:
        records = self.records.setdefault(topic, [])
        records.append(Record(topic, 0, len(records), value, key, at))


def text(words: str) -> bytes:
    return struct.pack(">h", len(words)) + words.encode()


@pytest.fixture
def told() -> Told:
    return Told()


def test_an_image_with_an_outcome_is_acknowledged_rightly(told: Told) -> None:
    told.event(IMAGES, FOUND, at=1)
    told.event("outcomes", ImageEnded(job="j", image=0, outcome="labelled"), at=9)  # a copy, in another partition
    told.event("outcomes", ImageEnded(job="j", image=0, outcome="labelled"), at=2)
    told.commit(0, at=1)
    told.commit(1, at=3)
    assert acknowledged(told) == Acknowledged(commits=2, passed=1)


@pytest.mark.parametrize("outcome_at", [4, None])
def test_a_commit_before_the_outcome_is_found(told: Told, outcome_at: float | None) -> None:
    told.event(IMAGES, FOUND, at=1)
    if outcome_at:
        told.event("outcomes", ImageEnded(job="j", image=0, outcome="labelled"), at=outcome_at)
    told.commit(1, at=3)
    [wrong] = acknowledged(told).wrong
    assert "Image 0 of job j, offset 0" in wrong


def test_an_image_that_waits_again_has_been_answered_but_its_copy_has_not(told: Told) -> None:
    told.event(IMAGES, FOUND, at=1)
    told.event(IMAGES, FOUND.model_copy(update={"attempt": 1}), at=2)
    told.event(IMAGES, FOUND.model_copy(update={"attempt": 1}), at=2)
    told.commit(1, at=3)
    assert not acknowledged(told).wrong
    told.commit(3, at=4)
    assert len(acknowledged(told).wrong) == 2


def test_an_image_of_tiles_has_been_answered_when_all_of_them_are_announced(told: Told) -> None:
    told.event(IMAGES, FOUND, at=1)
    told.event(TILES, planned(FOUND, 0, 2), at=9)
    told.event(TILES, planned(FOUND, 0, 2), at=2)
    told.event(TILES, planned(FOUND, 1, 2), at=4)
    told.commit(1, at=5)
    assert not acknowledged(told).wrong
    told.records[OFFSETS].clear()
    told.commit(1, at=3)
    assert acknowledged(told).wrong


def test_a_group_that_goes_back_is_found(told: Told) -> None:
    told.commit(5, at=1)
    told.commit(4, at=2)
    [wrong] = acknowledged(told).wrong
    assert "went back from 5 to 4" in wrong


def test_other_groups_and_junk_are_nobodys_business(told: Told) -> None:
    told.commit(5, at=1, group="somebody")
    told.records[IMAGES] = [Record(IMAGES, 0, 0, b"junk")]
    told.commit(1, at=2)
    assert acknowledged(told) == Acknowledged(commits=1)


@pytest.mark.parametrize(("key", "value"), [(struct.pack(">h", 2), b"members"), (struct.pack(">h", 1), b"")])
def test_what_is_no_commit_is_passed_over(key: bytes, value: bytes) -> None:
    assert decode(Record(OFFSETS, 0, 0, value, key)) is None
