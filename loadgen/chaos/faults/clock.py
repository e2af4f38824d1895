"""The clock of one program steps, ahead or back, and some time later back to where it should be."""

import asyncio

from loadgen.chaos.faults.processes import PROGRAMS, pick
from loadgen.chaos.world import Kind, World

STEPS = (-3600.0, -90.0, 90.0, 3600.0)
"""Seconds: a clock that was set wrongly, and one that ran wrongly for a while."""
STEPPED_SECONDS = (5.0, 30.0)


async def stepped(world: World) -> str:
    """One program's clock is wrong for a while."""
    part, ahead = pick(world, *PROGRAMS), world.random.choice(STEPS)
    seconds = world.random.uniform(*STEPPED_SECONDS)
    world.stack.set_clock(part.name, ahead)
    try:
        await asyncio.sleep(seconds)
    finally:
        world.stack.set_clock(part.name, 0.0)
    return f"{part.name}, {ahead:+.0f} s for {seconds:.0f} s"


KINDS = (Kind("clock", "process", stepped),)
