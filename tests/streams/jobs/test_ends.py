"""Images that are announced again after they ended: cheap, and never in the way of those that have not."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from storage import keys
from storage.memory import MemoryStore
from storage.objects import Stat
from streams.events import ImageEnded, ImageFound, Source
from streams.jobs.ends import KEPT, Ends
from streams.jobs.remembered import BELIEVED_SECONDS
from tests.streams.books import JOB, START, Time, count, label, listed, refuse


class Counting(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def stat(self, key: str) -> Stat:
        self.asked["stat"] += 1
        return super().stat(key)

    def list(self, prefix: str) -> Iterator[Stat]:
        self.asked["list"] += 1
        return super().list(prefix)


@pytest.fixture
def store() -> Counting:
    made = Counting()
    listed(made, 1000)
    return made


def found(image: int, round_: int = 0) -> ImageFound:
    known: dict[str, Any] = {"name": "a.tif", "source": Source(key="uploads/u/a.zip", etag="e")}
    return ImageFound(job=JOB, image=image, round=round_, model="nuclei", model_digest="d", again=True, **known)


def test_a_thousand_images_that_have_ended_and_are_counted_cost_a_few_requests(store: Counting) -> None:
    label(store, *range(999))
    refuse(store, 999)
    count(store)
    store.asked.clear()
    ends = Ends(store)
    assert all(ends.answer(found(image)) == [] for image in range(1000))
    assert store.asked["list"] < 10
    assert not store.asked["stat"]


def test_an_end_that_nobody_counted_yet_is_announced_again(store: Counting) -> None:
    label(store, 0)
    refuse(store, 1)
    said = [Ends(store).answer(found(image)) for image in (0, 1)]
    assert [each.outcome for ends in said for each in ends or () if isinstance(each, ImageEnded)] == [
        "labelled",
        "rejected",
    ]


def test_an_image_in_flight_is_worked_on_and_found_as_soon_as_it_ends(store: Counting) -> None:
    ends = Ends(store)
    assert ends.answer(found(0)) is None
    label(store, 0)
    assert ends.answer(found(0))


def test_an_image_that_was_counted_as_rejected_and_is_replayed_is_worked_on(store: Counting) -> None:
    refuse(store, 0)
    count(store)
    ends = Ends(store)
    assert ends.answer(found(0)) == []
    assert ends.answer(found(0, round_=1)) is None


def test_a_label_that_is_gone_though_it_was_counted_is_made_again(store: Counting) -> None:
    label(store, 0)
    count(store)
    store.delete([keys.labels(JOB, 0)])
    assert Ends(store).answer(found(0)) is None


def test_what_is_counted_is_learnt_within_seconds(store: Counting) -> None:
    now = Time()
    label(store, 0)
    ends = Ends(store, now)
    assert ends.answer(found(0))
    count(store)
    now.now = START + BELIEVED_SECONDS
    assert ends.answer(found(0)) == []


def test_what_is_remembered_does_not_grow_for_ever(store: Counting) -> None:
    ends = Ends(store)
    for shard in range(KEPT + 5):
        ends.answer(found(shard * keys.SHARD))
    assert len(ends._shards) == KEPT
