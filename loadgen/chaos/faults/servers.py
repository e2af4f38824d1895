"""The broker, the S3 server and Triton die, are told to end, or hang."""

import asyncio
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

import psutil  # type: ignore[import-untyped,unused-ignore]

from loadgen.chaos.faults.processes import LONGEST_EXIT, pick, replaced
from loadgen.chaos.stack import ended, send
from loadgen.chaos.world import Kind, NotMet, World

HANG_SECONDS = (2.0, 10.0)
_STUB = "triton_python_backend_stub"


async def broker_killed(world: World) -> str:
    """`kill -9`, until it answers again."""
    return await _killed("kafka", world)


async def broker_rolled(world: World) -> str:
    """A planned stop, until it answers again."""
    broker = pick(world, "kafka")
    send(broker, SIGTERM)
    seconds = await ended(broker, LONGEST_EXIT)
    await replaced(broker, world)
    return f"gone after {seconds:.1f} s"


async def store_killed(world: World) -> str:
    """`kill -9` of the S3 server."""
    return await _killed("s3", world)


async def triton_killed(world: World) -> str:
    """`kill -9` of Triton."""
    return await _killed("triton", world)


async def triton_hangs(world: World) -> str:
    """Triton takes requests and doesn't answer for a while."""
    triton = pick(world, "triton")
    seconds = world.random.uniform(*HANG_SECONDS)
    send(triton, SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        send(triton, SIGCONT)
    return f"for {seconds:.0f} s"


async def stub_killed(world: World) -> str:
    """One of the model's processes dies inside a Triton that lives on."""
    triton = pick(world, "triton").process
    stubs = [child for child in triton.children() if _STUB in child.name() or _is_stub(child)] if triton else []
    if not stubs:
        raise NotMet("Triton has no model process at the moment")
    with suppress(psutil.NoSuchProcess):
        world.random.choice(stubs).kill()
    return f"one of {len(stubs)}"


def _is_stub(child: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any(_STUB in word for word in child.cmdline()[:1])
    return False


async def _killed(name: str, world: World) -> str:
    part = pick(world, name)
    send(part, SIGKILL)
    await replaced(part, world)
    return name


KINDS = (
    Kind("broker-kill", "broker", broker_killed),
    Kind("broker-roll", "broker", broker_rolled),
    Kind("s3-kill", "process", store_killed),
    Kind("triton-kill", "process", triton_killed),
    Kind("triton-hang", "model", triton_hangs),
    Kind("triton-stub", "process", stub_killed),
)
