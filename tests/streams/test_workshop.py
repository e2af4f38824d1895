"""Threads that compute, and those that never come back."""

import asyncio
import threading

import pytest

from streams.events import Lane
from streams.workshop import Hung, Workshop
from tests.streams.stand import run


def test_a_computation_that_never_ends_is_left_behind_and_others_go_on() -> None:
    release = threading.Event()

    async def work() -> int:
        shop = Workshop(seconds=1)
        with pytest.raises(Hung):
            await shop.run(Lane.INTERACTIVE, release.wait)
        assert shop.hung == 1
        return await asyncio.wait_for(shop.run(Lane.INTERACTIVE, lambda: 7), 5)

    assert run(work()) == 7
    release.set()


def test_a_small_job_does_not_wait_for_the_threads_of_a_large_one() -> None:  # rule 18
    release = threading.Event()

    async def work() -> int:
        shop = Workshop()
        bulk = [asyncio.create_task(shop.run(Lane.BULK, release.wait)) for _ in range(4)]
        answer = await asyncio.wait_for(shop.run(Lane.INTERACTIVE, lambda: 7), 5)
        release.set()
        await asyncio.gather(*bulk)
        return answer

    assert run(work()) == 7


def test_what_a_computation_raises_is_raised() -> None:
    async def work() -> None:
        await Workshop().run(Lane.BULK, lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        run(work())
