import asyncio

from streams.room import Room, Share
from tests.streams.stand import run


def test_an_image_larger_than_all_the_room_there_is_runs_alone() -> None:
    async def work() -> None:
        room = Room(10)
        small, large = Share(room), Share(room)
        await small.grow(1)
        waiting = asyncio.create_task(large.grow(50))
        await asyncio.sleep(0)
        assert not waiting.done()
        await small.release()
        await asyncio.wait_for(waiting, 1)

    run(work())


def test_small_images_do_not_pass_a_large_one_for_ever() -> None:
    async def work() -> None:
        room = Room(10)
        first, large, small = Share(room), Share(room), Share(room)
        await first.grow(5)
        waiting_large = asyncio.create_task(large.grow(9))
        await asyncio.sleep(0)
        waiting_small = asyncio.create_task(small.grow(1))
        await asyncio.sleep(0.01)
        assert not waiting_small.done()
        await first.release()
        await asyncio.wait_for(waiting_large, 1)
        await asyncio.wait_for(waiting_small, 1)

    run(work())


def test_two_images_that_grow_never_wait_for_one_another() -> None:
    async def work() -> None:
        room = Room(10)
        one, two = Share(room), Share(room)
        await one.grow(5)
        await two.grow(5)
        growing = asyncio.create_task(two.grow(9))
        await asyncio.wait_for(one.grow(30), 1)
        assert not growing.done()
        await one.release()
        await asyncio.wait_for(growing, 1)

    run(work())


def test_whoever_gives_up_waiting_leaves_the_line() -> None:
    async def work() -> None:
        room = Room(10)
        first, impatient, next_ = Share(room), Share(room), Share(room)
        await first.grow(8)
        waiting = asyncio.create_task(impatient.grow(5))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait_for(next_.grow(1), 1)

    run(work())
