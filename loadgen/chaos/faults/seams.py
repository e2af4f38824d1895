"""`kill -9` at each seam: before an object is stored, after that and before it is announced, after that and before
the acknowledgement. Neither luck nor a clock is involved: the proxy and the topics see the very moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from signal import SIGKILL

from loadgen.chaos.http import Answer, Request
from loadgen.chaos.records import Record
from loadgen.chaos.stack import Part, send
from loadgen.chaos.store_proxy import Cut
from loadgen.chaos.world import Kind, NotMet, World
from storage import keys

SECONDS = 25.0
"""How long a seam is waited for."""
PUTS = ("labels", "rejected", "manifest", "tally", "done", "scratch")
ANNOUNCEMENTS = ("slices", "images", "tiles", "predictions", "outcomes")
_AT_A_JOBS_ENDS = ("rejected", "manifest", "done", "images")
"""What happens at the beginning or the end of a job, so that one is submitted for it."""
_OF_LARGER_JOBS = ("slices",)
"""What happens only at the beginning of a job that is not small."""


@dataclass(slots=True)
class KillAtPut:
    """A rule: whoever stores an object of some kind dies, before the server sees the request or after it answered."""

    world: World
    what: str
    after: bool
    victim: asyncio.Future[Part] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def asked(self, request: Request) -> None:
        """Kill before the server sees it."""
        if not self.after and self._is_meant(request):
            await self._kill(request)

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Kill after it is durable."""
        if self.after and answer.status == 200 and self._is_meant(request):
            await self._kill(request)
        return answer

    def _is_meant(self, request: Request) -> bool:
        return request.method == "PUT" and self.what in request.key and not self.victim.done()

    async def _kill(self, request: Request) -> None:
        part = await self.world.holdings.who(request)
        if part and not self.victim.done() and send(part, SIGKILL):
            self.victim.set_result(part)
            raise Cut


async def at_put(what: str, after: bool, world: World) -> str:
    """Kill whoever stores the next object of a kind."""
    path = {"tally": "tally/", "scratch": "scratch/", "done": "/done.json"}.get(what, f"/{what}/")
    rule = KillAtPut(world, path, after)
    world.stack.store.rules.append(rule)
    try:
        return await _met(rule.victim, what, world)
    finally:
        world.stack.store.rules.remove(rule)


async def after_announcement(what: str, world: World) -> str:
    """Kill whoever sent the next event of a topic, before it can acknowledge its input."""
    loop = asyncio.get_running_loop()
    victim: asyncio.Future[Part] = loop.create_future()

    def hear(record: Record) -> None:
        if record.topic.split(".")[0] != what or victim.done():
            return
        part = _sender(record, world)
        if part and send(part, SIGKILL):
            loop.call_soon_threadsafe(_settle, victim, part)

    world.records.listeners.append(hear)
    try:
        return await _met(victim, what, world)
    finally:
        world.records.listeners.remove(hear)


def _settle(victim: asyncio.Future[Part], part: Part) -> None:
    if not victim.done():
        victim.set_result(part)


def _sender(record: Record, world: World) -> Part | None:
    event, stored = record.event, world.holdings.stored
    match record.topic.split(".")[0]:
        case "slices" | "images":
            return next(iter(world.stack.named("stage-unzip")), None)
        case "outcomes":
            return stored.get(keys.labels(str(event.get("job")), int(event.get("image", 0))))
        case "tiles":
            return stored.get(event.get("pixels", ""))
    return stored.get(event.get("maps", ""))


async def _met(victim: asyncio.Future[Part], what: str, world: World) -> str:
    submitting = asyncio.create_task(_submitted(what, world))
    try:
        part = await asyncio.wait_for(asyncio.shield(victim), SECONDS)
    except TimeoutError:
        raise NotMet(f"no {what} came in {SECONDS:.0f} s") from None
    finally:
        await submitting
    return part.name


async def _submitted(what: str, world: World) -> None:
    if what in _AT_A_JOBS_ENDS:
        await world.submit_few()
    if what in _OF_LARGER_JOBS:
        await world.submit_some()


def _kinds() -> tuple[Kind, ...]:
    made: list[tuple[str, Callable[[World], Awaitable[str]]]] = []
    for what in PUTS:
        made.append((f"seam-before-put-{what}", partial(at_put, what, False)))
        made.append((f"seam-after-put-{what}", partial(at_put, what, True)))
    made += [(f"seam-after-announce-{what}", partial(after_announcement, what)) for what in ANNOUNCEMENTS]
    return tuple(Kind(name, "process", inject) for name, inject in made)


KINDS = _kinds()
