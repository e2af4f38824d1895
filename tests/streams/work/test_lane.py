"""How one lane shares a process with others."""

import asyncio
from typing import Any

import pytest

from streams.events import ImageFound, SliceListed, Source
from streams.work import policy
from streams.work.consuming import TP, Delivery
from streams.work.lane import LaneOfWork, _Run
from streams.work.policy import Answer
from streams.work.tracker import Entry
from streams.worker import Worker
from tests.streams.stand import run, tools

PLACE = TP("slices", 0)


def found(image: int) -> ImageFound:
    source = Source(key="k", etag="e")
    return ImageFound(job="j", image=image, name="a", source=source, model="m", model_digest="d")


@pytest.mark.parametrize(("events", "kept"), [(1000, True), (1, False)])
def test_a_slice_keeps_its_slot_until_all_its_images_are_announced(
    monkeypatch: pytest.MonkeyPatch, events: int, kept: bool
) -> None:  # 100 slices at once were 20,000 announcements in flight, behind which a small job waited for minutes
    async def answer(*_: Any) -> Answer:
        return Answer([found(image) for image in range(events)])

    async def whole() -> None:
        [lane] = Worker(("announce",), tools(), "127.0.0.1:1").lanes
        sending, go_on = asyncio.Event(), asyncio.Event()

        async def send(*_: object) -> None:
            sending.set()
            await go_on.wait()

        monkeypatch.setattr(lane.subscription, "send", send)
        working = asyncio.create_task(begun(lane))
        await sending.wait()
        assert (lane._slots._value < 2) is kept
        go_on.set()
        await working
        assert lane._slots._value == 2

    async def begun(lane: LaneOfWork) -> None:
        await lane._slots.acquire()
        taken = _Run(PLACE, Entry(0))
        lane._runs[PLACE, 0] = taken
        await lane._work(Delivery(PLACE, 0, SliceListed(job="j", shard=0).encode(), ""), taken)

    async def noted(*_: object) -> bool:
        return True

    monkeypatch.setattr(policy, "answer", answer)
    monkeypatch.setattr(LaneOfWork, "_noted", noted)
    run(whole())


def test_a_late_delivery_before_a_gap_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:  # rule 16
    async def whole() -> list[int]:
        [lane] = Worker(("announce",), tools(), "127.0.0.1:1").lanes
        arriving = [13]  # fetched for an earlier assignment; at 10 lies a transaction's marker

        async def earliest(_: TP) -> int:
            return 0

        async def seek(_: TP, offset: int) -> None:
            assert offset == 10
            arriving.extend([11, 12, 13, 14])

        monkeypatch.setattr(lane.subscription, "earliest", earliest)
        monkeypatch.setattr(lane.subscription, "seek", seek)
        lane.starts_at(PLACE, 10)
        taken = [await lane._taken(PLACE, offset) for offset in arriving]  # grows as it is sought back
        return [entry.offset for entry in taken if entry]

    assert run(whole()) == [11, 12, 13, 14]
