"""What stands still is noticed, and the process ends; what waits for an absent part is left in peace."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from faust.types import TP

from streams.events import ImageEnded
from streams.work import watchdog
from streams.work.lane import FROZEN_SECONDS, STALL_SECONDS, LaneOfWork, _Run
from streams.work.tracker import Entry
from streams.work.watchdog import CODE, Watchdog
from streams.worker import Worker
from tests.streams.stand import run, tools

NOWHERE = "127.0.0.1:1"
PLACE = TP("outcomes", 0)


def watched(play: Callable[[Watchdog], Awaitable[None]]) -> list[int]:
    """The codes with which it wanted the process to end."""
    codes: list[int] = []

    async def whole() -> None:
        dog = Watchdog(leave=codes.append)
        dog.watch(asyncio.get_running_loop())
        try:
            await play(dog)
        finally:
            dog.rest()

    run(whole())
    return codes


def test_a_loop_that_hangs_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOP_SECONDS", 0.2)

    async def hang(dog: Watchdog) -> None:
        time.sleep(1.2)  # noqa: ASYNC251  # what it is about

    assert CODE in watched(hang)


def test_a_loop_that_turns_and_stops_in_time_is_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOP_SECONDS", 1.0)

    async def turn(dog: Watchdog) -> None:
        dog.stopping()
        await asyncio.sleep(1.2)

    assert not watched(turn)


def test_a_stop_that_takes_too_long_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "STOP_SECONDS", 0.2)

    async def linger(dog: Watchdog) -> None:
        dog.stopping()
        await asyncio.sleep(1.2)

    assert CODE in watched(linger)


def with_worker(test: Callable[[Worker, LaneOfWork, list[int]], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        codes: list[int] = []
        worker = Worker(("collect",), tools(), NOWHERE, watchdog=Watchdog(leave=codes.append))
        [lane] = worker.lanes
        return await test(worker, lane, codes)

    return run(whole())


def late(seconds: float = STALL_SECONDS) -> float:
    """A moment after so many seconds in which nothing moved."""
    return time.monotonic() + seconds + 1


def test_a_lane_without_an_assignment_stands_still_after_two_minutes() -> None:
    async def test(worker: Worker, lane: LaneOfWork, codes: list[int]) -> None:
        assert not lane.stall(late(STALL_SECONDS - 10))
        assert "no assignment" in lane.stall(late())
        lane.excuse(late())
        assert not lane.stall(late())

    with_worker(test)


def test_a_lane_to_which_nothing_of_its_backlog_is_delivered_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(worker: Worker, lane: LaneOfWork, codes: list[int]) -> None:
        lane.starts_at(PLACE, 3)
        lane.found()
        for end, expected in ((5, "there is backlog"), (3, ""), (None, "")):
            monkeypatch.setattr(lane.subscription, "end", lambda tp, end=end: end)
            assert expected in lane.stall(late())
            assert expected or not lane.stall(late())

    with_worker(test)


def test_an_event_that_is_worked_on_for_ever_holds_the_commit_position() -> None:
    async def test(worker: Worker, lane: LaneOfWork, codes: list[int]) -> None:
        lane.found()
        lane._runs[PLACE, 0] = _Run(PLACE, Entry(0))
        assert not lane.stall(late())
        assert "holds the commit position" in lane.stall(late(FROZEN_SECONDS))

    with_worker(test)


def test_a_lane_that_can_not_send_stands_still_whatever_else_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(worker: Worker, lane: LaneOfWork, codes: list[int]) -> None:
        tries = asyncio.Event()

        async def send(*what: object) -> None:
            tries.set()
            raise KafkaError

        monkeypatch.setattr(lane.subscription, "send", send)
        sending = asyncio.create_task(lane.sender.announce([ImageEnded(job="j", image=0, outcome="labelled")]))
        await tries.wait()
        while not lane.sender._unsent:
            await asyncio.sleep(0)
        lane._moved = late()
        assert "can't be sent" in lane.stall(late())
        lane.excuse(late())
        assert not lane.stall(late())
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert "can't be sent" not in lane.stall(late(FROZEN_SECONDS))

    with_worker(test)


@pytest.mark.parametrize("away", ["store", "model", "broker", ""])
def test_a_worker_that_stands_still_ends_unless_a_part_is_away(monkeypatch: pytest.MonkeyPatch, away: str) -> None:
    async def test(worker: Worker, lane: LaneOfWork, codes: list[int]) -> list[int]:
        async def answers() -> bool:
            return away != "broker"

        monkeypatch.setattr(worker, "_broker_answers", answers)
        lane._moved -= STALL_SECONDS + 1
        if away == "store":
            worker.tools.outages.seen()
        if away == "model":
            worker.tools.gate.breaker.open_since = time.time()
        await worker.beat()
        assert bool(lane.stall(time.monotonic())) is not bool(away)
        return codes

    assert with_worker(test) == ([] if away else [CODE])
