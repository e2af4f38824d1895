import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

from loadgen.chaos.completions import Completions
from loadgen.chaos.injecting import Injector, Pace
from loadgen.chaos.records import Record
from loadgen.chaos.stack import until
from loadgen.chaos.world import Kind, NotMet, World

AT_ONCE = Pace(0, 0)


def injector(pace: Pace = AT_ONCE) -> Injector:
    async def ready() -> None:
        pass

    world = SimpleNamespace(completions=Completions(), stack=SimpleNamespace(ready=ready))
    return Injector(cast(World, world), pace)


def kind(inject: Callable[[World], Awaitable[str]], alone: bool = False) -> Kind:
    return Kind("fault", "store", inject, alone=alone)


def test_a_fault_whose_moment_does_not_come_is_tried_once_more_and_counted() -> None:
    times = []

    async def second_time(world: World) -> str:
        times.append(1)
        if len(times) == 1:
            raise NotMet("not now")
        return "hit"

    injecting = injector()
    asyncio.run(injecting.inject([kind(second_time)]))
    assert [fault.hit for fault in injecting.injected] == ["hit"]
    assert injecting.not_met.total() == 1


def test_a_fault_that_breaks_is_said_so_and_the_others_go_on() -> None:
    async def breaks(world: World) -> str:
        raise RuntimeError("the proxy is gone")

    async def works(world: World) -> str:
        return "hit"

    injecting = injector()
    asyncio.run(injecting.inject([kind(breaks), kind(works)]))
    assert len(injecting.injected) == 1
    assert "the proxy is gone" in injecting.failed[0]


def test_a_measured_fault_shares_its_time_with_no_other() -> None:
    running: set[str] = set()
    together: list[set[str]] = []

    def fault(name: str, alone: bool = False) -> Kind:
        async def inject(world: World) -> str:
            running.add(name)
            together.append(set(running))
            await asyncio.sleep(0.001)
            running.discard(name)
            return name

        return kind(inject, alone)

    asyncio.run(injector().inject([fault("a"), fault("b"), fault("measured", alone=True), fault("c")]))
    assert {"a", "b"} in together
    assert [names for names in together if "measured" in names] == [{"measured"}]


def test_progress_decides_when_the_next_fault_comes() -> None:
    injecting, seen = injector(Pace(10, 0)), []

    async def look(world: World) -> str:
        seen.append(world.completions.total)
        return ""

    async def whole() -> None:
        task = asyncio.create_task(injecting.inject([kind(look), kind(look)]))
        await asyncio.sleep(0)  # it begins to count here
        for image in range(15):
            event = json.dumps({"job": "j", "image": image}).encode()
            injecting.world.completions.hear(Record("outcomes", 0, image, None, event, []))
            if image in (4, 14):
                await until(lambda image=image: len(seen) == 1 + image // 10, 5, every=0.01)  # type: ignore[misc]
        await task

    asyncio.run(whole())
    assert seen == [5, 15]
