"""Stages, the inbox and the API are killed, told to end, or stopped and continued long after."""

import asyncio
import time
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

import psutil  # type: ignore[import-untyped,unused-ignore]

from kiosk.local.processes import SEGMENT
from loadgen.chaos.stack import Part, ended, send, until
from loadgen.chaos.world import Kind, NotMet, World

PROGRAMS = ("stage-", "inbox", "api")
LONGEST_EXIT = 30.0
LONGEST_TAKEOVER = 60.0
BUSY_SECONDS = 20.0
ZOMBIE_SECONDS = (2.0, 20.0)


def pick(world: World, *beginnings: str) -> Part:
    """One process that works and isn't stopped, of those whose names begin so."""
    there = [part for part in world.stack.parts() if part.name.startswith(beginnings) and _works(part)]
    if not there:
        raise NotMet(f"nothing named {' or '.join(beginnings)} works at the moment")
    return world.random.choice(there)


def _works(part: Part) -> bool:
    process = part.process
    return part.state == "ready" and process is not None and process.status() != psutil.STATUS_STOPPED


async def killed(world: World) -> str:
    """`kill -9` of any of them."""
    part = pick(world, *PROGRAMS)
    send(part, SIGKILL)
    return part.name


async def terminated(world: World) -> str:
    """SIGTERM, and how long it takes to go."""
    part = pick(world, *PROGRAMS)
    seconds = await terminate(part, world)
    return f"{part.name}, gone after {seconds:.1f} s"


async def preempted(world: World) -> str:
    """SIGTERM to a worker, as when a machine is taken back."""
    part = pick(world, SEGMENT)
    seconds = await terminate(part, world)
    return f"{part.name}, gone after {seconds:.1f} s"


async def terminate(part: Part, world: World) -> float:
    """Tell a process to end, and note how long it took."""
    if not send(part, SIGTERM):
        raise NotMet(f"{part.name} was gone already")
    seconds = await ended(part, LONGEST_EXIT)
    world.measured.exits.append(seconds)
    return seconds


async def zombie(world: World) -> str:
    """SIGSTOP, and SIGCONT when others have taken over, or just before."""
    part = pick(world, *PROGRAMS)
    seconds = world.random.uniform(*ZOMBIE_SECONDS)
    send(part, SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        send(part, SIGCONT)
    return f"{part.name}, for {seconds:.0f} s"


async def taken_over(world: World) -> str:
    """`kill -9` of a worker, and how long its images are in nobody's hands, and until each is worked on again."""
    part = pick(world, SEGMENT)
    try:
        await until(lambda: world.holdings.held(part.pid), BUSY_SECONDS, every=0.05)
    except TimeoutError:
        raise NotMet(f"{part.name} holds nothing") from None
    held, since = world.holdings.held(part.pid), time.monotonic()
    if not send(part, SIGKILL):
        raise NotMet(f"{part.name} was gone already")
    with suppress(TimeoutError):
        await until(lambda: len(world.holdings.taken_over(held, part.pid, since)) == len(held), LONGEST_TAKEOVER)
    moments = world.holdings.taken_over(held, part.pid, since)
    never = since + LONGEST_TAKEOVER
    first = (moments[0] if moments else never) - since
    last = (moments[-1] if len(moments) == len(held) else never) - since
    world.measured.takeovers.append(first)
    world.measured.taken_up.append(last)
    return (
        f"{part.name}, whose {len(held)} images were in other hands from {first:.1f} s on, the last after {last:.1f} s"
    )


async def rolled(world: World) -> str:
    """All workers one after another, each when the one before works again."""
    begun = time.monotonic()
    for part in world.stack.named(SEGMENT):
        with suppress(NotMet):
            await terminate(part, world)
        await replaced(part, world)
    gap = world.completions.longest_gap(begun, time.monotonic())
    world.measured.gaps.append(gap)
    return f"all workers, the longest gap was {gap:.1f} s"


async def replaced(part: Part, world: World, seconds: float = 60.0) -> None:
    """Return when another process works in the place of one that ended, or after so many seconds."""
    with suppress(TimeoutError):
        await until(lambda: _replaced(part, world), seconds)


def _replaced(part: Part, world: World) -> bool:
    now = [each for each in world.stack.parts() if each.name == part.name]
    return any(each.state == "ready" and each.pid != part.pid for each in now)


KINDS = (
    Kind("kill", "process", killed, weight=2),
    Kind("terminate", "process", terminated, alone=True),
    Kind("zombie", "process", zombie, weight=2),
    Kind("takeover", "process", taken_over, weight=2, alone=True),
    Kind("roll", "process", rolled, alone=True),
)
