"""Alone in the process, and the marks by which the next worker knows who was in flight."""

import asyncio

from storage.memory import MemoryStore
from streams import containment
from streams.containment import Solitude
from streams.tracker import Entry, Mark, Past, Tracker
from tests.streams.stand import run


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
