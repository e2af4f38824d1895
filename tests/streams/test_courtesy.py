"""Rule 18: a small job's image finds the machine free soon, and large jobs go on all the same."""

import asyncio
import time

import pytest

from streams import courtesy
from streams.courtesy import Courtesy


def test_what_is_large_begins_at_once_where_nothing_is_urgent_and_waits_where_something_is() -> None:
    async def work() -> list[str]:
        given, told = Courtesy(), list[str]()
        await given.step_back()
        with given.urgent(), given.urgent():
            waiting = asyncio.create_task(given.step_back())
            waiting.add_done_callback(lambda _: told.append("begins"))
            await asyncio.sleep(0.01)
            told.append("urgent")
        await waiting
        return told

    assert asyncio.run(work()) == ["urgent", "begins"]


def test_what_is_urgent_without_end_keeps_nobody_for_more_than_half_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courtesy, "LONGEST_SECONDS", 0.05)

    async def work() -> list[float]:
        given, waited = Courtesy(), list[float]()
        with given.urgent():
            for _ in range(3):
                begun = time.monotonic()
                await given.step_back()
                waited.append(time.monotonic() - begun)
        return waited

    first, second, third = asyncio.run(work())
    assert first >= 0.05
    assert second < 0.05 and third < 0.05
