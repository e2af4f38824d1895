"""The way to Triton is refused or slow, and its answers are lost, errors, garbage or of a wrong shape."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from loadgen.chaos.model_proxy import Ask, Refused, honest, misshapen
from loadgen.chaos.world import Kind, NotMet, World

OUTAGE_SECONDS = (2.0, 6.0)
MOST_HITS = 3
"""Inferences that are hit one by one; fewer than the attempts of one image."""
SECONDS = 25.0

Hit = Callable[[Ask], Awaitable[bytes]]


async def unavailable(ask: Ask) -> bytes:
    """Say that nobody is there."""
    raise Refused("UNAVAILABLE", "chaos said so")


async def internal(ask: Ask) -> bytes:
    """Fail inside the server."""
    raise Refused("INTERNAL", "chaos said so")


async def cut_off(ask: Ask) -> bytes:
    """Compute, and give up before the answer is out."""
    await ask()
    raise Refused("CANCELLED", "chaos said so")


async def garbage(ask: Ask) -> bytes:
    """Bytes that are no answer."""
    return b"\xff" * len(await ask())


async def wrong_shape(ask: Ask) -> bytes:
    """A success whose output is too small."""
    return misshapen(await ask())


async def empty(ask: Ask) -> bytes:
    """A success without any output."""
    await ask()
    return b""


async def refused(world: World) -> str:
    """Nobody listens at Triton's address."""
    seconds = world.random.uniform(*OUTAGE_SECONDS)
    await world.stack.model.close()
    try:
        await asyncio.sleep(seconds)
    finally:
        await world.stack.model.open()
    return f"for {seconds:.1f} s"


async def outage(hit: Hit, world: World) -> str:
    """Every inference is answered so, for a while."""
    seconds = world.random.uniform(*OUTAGE_SECONDS)
    world.stack.model.rule = hit
    try:
        await asyncio.sleep(seconds)
    finally:
        world.stack.model.rule = honest
    return f"for {seconds:.1f} s"


async def slow(world: World) -> str:
    """Every inference takes longer."""
    seconds = world.random.uniform(0.2, 1.5)

    async def late(ask: Ask) -> bytes:
        await asyncio.sleep(seconds)
        return await ask()

    return await outage(late, world)


async def some(hit: Hit, world: World) -> str:
    """A few inferences are answered so."""
    hits, left, enough = world.random.randint(1, MOST_HITS), 0, asyncio.Event()

    async def rule(ask: Ask) -> bytes:
        nonlocal left
        if enough.is_set():
            return await ask()
        left += 1
        if left >= hits:
            enough.set()
        return await hit(ask)

    world.stack.model.rule = rule
    try:
        await asyncio.wait_for(enough.wait(), SECONDS)
    except TimeoutError:
        raise NotMet("no inference came") from None
    finally:
        world.stack.model.rule = honest
    return f"{hits} inferences"


KINDS = (
    Kind("triton-refused", "model", refused),
    Kind("triton-unavailable", "model", partial(outage, unavailable)),
    Kind("triton-slow", "model", slow),
    Kind("triton-internal", "model", partial(some, internal)),
    Kind("triton-cut-off", "model", partial(some, cut_off)),
    Kind("triton-garbage", "model", partial(some, garbage)),
    Kind("triton-wrong-shape", "model", partial(some, wrong_shape)),
    Kind("triton-empty", "model", partial(some, empty)),
)
