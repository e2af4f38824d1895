"""Alone in the process, and the marks by which the next worker knows who was in flight."""

import asyncio
import dataclasses
import threading

import pytest

from storage import keys
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams import containment
from streams.containment import Solitude
from streams.events import Event, ImageFound, UploadReceived
from streams.stages import chain
from streams.tools import Tools
from streams.work import policy
from streams.work.tracker import Entry, Mark, Past, Tracker
from tests.streams.stand import SIZED, Bright, Queue, run, tiff, tools

PLACE = ("images.bulk", 3, 14)


def test_nothing_runs_beside_an_event_that_runs_alone() -> None:  # rule 21
    async def work() -> list[str]:
        solitude, seen = Solitude(), []

        async def normal(name: str, until: asyncio.Event) -> None:
            async with solitude.beside_others():
                seen.append(name)
                await until.wait()
            seen.append(f"{name} ends")

        first = asyncio.Event()
        early = asyncio.create_task(normal("early", first))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        async def alone() -> None:
            async with solitude.alone():
                seen.append("alone")
                await asyncio.sleep(0.01)
                seen.append("alone ends")

        suspect = asyncio.create_task(alone())
        await asyncio.sleep(0)
        late = asyncio.create_task(normal("late", first))
        await asyncio.sleep(0.01)
        first.set()
        await asyncio.wait_for(asyncio.gather(early, suspect, late), 5)
        return seen

    assert run(work()) == ["early", "early ends", "alone", "alone ends", "late", "late ends"]


def begun(tracker: Tracker[str], *offsets: int) -> list[Entry]:
    entries = [tracker.take("p", offset) for offset in offsets]
    for offset in offsets:
        tracker.begin("p", offset)
    return entries


def test_the_next_worker_learns_how_far_events_were_begun() -> None:  # rule 21
    tracker: Tracker[str] = Tracker()
    entries = begun(tracker, 5, 6, 7)
    tracker.take("p", 8)
    tracker.finish("p", entries[0])
    assert tracker.marks() == {"p": Mark(offset=6, begun=8, suspects=8)}
    assert tracker.releases() == {"p": Mark(offset=6, begun=8, suspects=6)}


def test_suspects_stay_suspects_until_they_are_passed_even_if_the_next_worker_dies_too() -> None:  # rule 21
    tracker: Tracker[str] = Tracker()
    tracker.inherit("p", Mark(offset=5, begun=9, suspects=9))
    entries = begun(tracker, 5)
    assert tracker.past("p", 5) is Past.SUSPECT
    assert tracker.past("p", 9) is Past.NONE
    assert tracker.marks() == {"p": Mark(5, 9, 9)}
    tracker.finish("p", entries[0])
    assert tracker.releases() == {"p": Mark(6, 9, 9)}


def test_what_was_let_go_of_in_good_order_is_no_suspect_but_may_have_ended() -> None:  # rule 23
    tracker: Tracker[str] = Tracker()
    tracker.inherit("p", Mark(offset=5, begun=9, suspects=5))
    assert tracker.past("p", 8) is Past.BEGUN
    assert tracker.past("p", 9) is Past.NONE


def test_a_death_is_counted_only_between_begin_and_end() -> None:  # rule 21
    store = MemoryStore()
    place = ("images.bulk", 1, 2)
    assert containment.deaths(store, *place) == 0
    containment.begin(store, *place, 0)
    assert containment.deaths(store, *place) == 1
    containment.begin(store, *place, 1)
    assert containment.deaths(store, *place) == 2
    containment.end(store, *place)
    assert containment.deaths(store, *place) == 0


class Ailing(MemoryStore):
    """The input can't be read so many times, and what ends a death's count doesn't work at first either."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = self.refusals = 0
        self.reading, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        if key.startswith("uploads/"):
            self.reading.set()
            self.gate.wait(60)
            if self.failures:
                self.failures -= 1
                self.refusals = 2
                raise Unavailable("broke off in the middle of a large object")
        return super().get(key, start, length, etag)

    def put(self, key: str, data: bytes, note: str = "") -> str:
        self._refuse(key)
        return super().put(key, data, note)

    def delete(self, keys: list[str]) -> None:  # type: ignore[override]
        self._refuse(keys[0])
        super().delete(keys)

    def _refuse(self, key: str) -> None:
        if key.startswith("alone/") and self.refusals:
            self.refusals -= 1
            raise Unavailable("away")


def suspect(given: Tools) -> policy.Message:
    """An image that was in flight when a worker died."""
    given.store.put("uploads/u/a.tif", tiff())
    events = run(Queue(given, ("unzip", "announce")).work(UploadReceived(object="uploads/u/a.tif", options=SIZED)))
    image: Event = next(event for event in events if isinstance(event, ImageFound))
    return policy.Message(*PLACE, image.encode(), past=Past.SUSPECT)


def test_of_two_copies_of_a_suspect_the_second_finds_what_became_of_the_first() -> None:  # rules 21 and 23
    predictor = Bright()
    given = tools(predictor=predictor)
    first = suspect(given)
    second = dataclasses.replace(first, offset=first.offset + 1)

    async def both() -> tuple[policy.Answer, policy.Answer]:
        stages = chain("tile+predict+postprocess")
        return await asyncio.gather(*(policy.answer(stages, each, given) for each in (first, second)))

    one, other = run(both())
    assert [ended.outcome for ended in (*one.events, *other.events)] == ["labelled", "labelled"]
    assert predictor.calls == 1


@pytest.mark.parametrize("deaths", [0, 2])
def test_a_suspect_whose_input_can_not_be_read_is_not_charged_with_deaths(  # rule 21
    deaths: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "_delay", lambda attempt, outage: 0.001)
    store = Ailing()
    given = tools(store)
    message = suspect(given)
    containment.end(store, *PLACE, deaths)
    store.failures = 5
    (ended,) = run(policy.answer(chain("tile+predict+postprocess"), message, given)).events
    assert (ended.outcome, store.failures, store.refusals) == ("labelled", 0, 0)
    assert not list(store.list("alone/"))


@pytest.mark.parametrize("deaths", [0, 2])
def test_a_suspect_that_is_abandoned_in_good_order_has_died_as_often_as_before(deaths: int) -> None:  # rule 21
    store = Ailing()
    given = tools(store)
    message = suspect(given)
    containment.end(store, *PLACE, deaths)

    async def stopped() -> None:
        store.reading.clear()
        store.gate.clear()
        running = asyncio.create_task(policy.answer(chain("tile+predict+postprocess"), message, given))
        await asyncio.to_thread(store.reading.wait, 60)
        assert containment.deaths(store, *PLACE) == deaths + 1
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        store.gate.set()

    run(stopped())
    assert containment.deaths(store, *PLACE) == deaths
    assert len(list(store.list(keys.alone(*PLACE)))) == bool(deaths)
