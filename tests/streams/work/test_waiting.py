"""What waits for a slot."""

import asyncio

from streams.work.waiting import Waiting
from tests.streams.stand import run


async def everything(waiting: Waiting[str, str]) -> list[str]:
    return [await asyncio.wait_for(waiting.get(), 1) for _ in range(len(waiting))]


def test_partitions_take_turns() -> None:
    async def work() -> list[str]:
        waiting: Waiting[str, str] = Waiting(10)
        for item in ("a1", "a2", "a3", "b1", "b2"):
            await waiting.put(item[0], item, False)
        return await everything(waiting)

    assert run(work()) == ["a1", "b1", "a2", "b2", "a3"]


def test_what_a_dead_worker_had_begun_goes_first() -> None:  # rule 21
    async def work() -> list[str]:
        waiting: Waiting[str, str] = Waiting(2)
        for item, first in (("a1", False), ("a2", False), ("b1", True), ("c1", True), ("b2", True)):
            await waiting.put(item[0], item, first)  # not even a full line holds it back
        return await everything(waiting)

    assert run(work()) == ["b1", "c1", "b2", "a1", "a2"]


def test_what_is_lost_is_dropped_and_the_line_is_bounded() -> None:
    async def work() -> list[str]:
        waiting: Waiting[str, str] = Waiting(2)
        for item in ("a1", "b1"):
            await waiting.put(item[0], item, False)
        late = asyncio.create_task(waiting.put("b", "b2", False))
        await asyncio.sleep(0.01)
        assert not late.done()
        assert await waiting.get() == "a1"
        await asyncio.wait_for(late, 1)
        waiting.drop({"b"})
        return await everything(waiting)

    assert run(work()) == []


def test_after_a_rebalance_nobody_waits_for_room_that_is_there() -> None:
    async def work() -> list[str]:
        waiting: Waiting[str, str] = Waiting(2)
        for item in ("a1", "a2"):
            await waiting.put(item[0], item, False)
        stale = asyncio.create_task(waiting.put("a", "a3", False))
        await asyncio.sleep(0.01)
        waiting.drop({"a"})
        await asyncio.wait_for(stale, 1)  # it stood still here, and with it the worker's reading
        await waiting.put("a", "a1 again", False)
        return await everything(waiting)

    assert run(work()) == ["a1 again"]


def test_other_partitions_are_not_dropped_with_a_lost_one() -> None:
    async def work() -> list[str]:
        waiting: Waiting[str, str] = Waiting(1)
        await waiting.put("a", "a1", False)
        late = asyncio.create_task(waiting.put("b", "b1", False))
        await asyncio.sleep(0.01)
        waiting.drop({"a"})
        await asyncio.wait_for(late, 1)
        return await everything(waiting)

    assert run(work()) == ["b1"]
