"""What is broken, how, and which alerts have to fire while it is; some alerts need ten minutes of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from kiosk.contract import DEADLINES
from kiosk.errors import MonolayerError
from loadgen.chaos.completions import Completions
from loadgen.chaos.faults.model import internal
from loadgen.chaos.holdings import Holdings
from loadgen.chaos.images import Archive, Nature
from loadgen.chaos.model_proxy import honest
from loadgen.chaos.poison import Killers
from loadgen.drill.site import Site
from streams.events import SliceListed, UploadReceived

HEALTHY = 10_000
"""Images of ordinary work: more than are done when somebody looks at what they cost, which is once a minute."""
FLOOD, DRIP, DRIP_SECONDS = 10_000, 200, 10
"""Images that come at once, worth more than a minute of work, and then more every few seconds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Something is broken until some alerts have fired."""

    what: str
    """In words."""
    alerts: tuple[str, ...]
    broken: Callable[[Site], AbstractAsyncContextManager[None]]
    """Breaks it, and mends it again."""
    minutes: float
    """So long at most; an alert that has not fired by then is silent."""


@asynccontextmanager
async def strangers(site: Site) -> AsyncIterator[None]:
    """Junk on a topic, and images that kill their readers."""
    await asyncio.to_thread(site.records.send, UploadReceived.topic, b"junk", b"no event", [])
    killers = site.archive(240, poison=0.5)
    site.stack.store.rules.append(rule := _rule(site, killers))
    try:
        await site.submit(killers)
        yield
    finally:
        site.stack.store.rules.remove(rule)


def _rule(site: Site, archive: Archive) -> Killers:
    numbers = {member.offset: number for number, member in enumerate(archive.members) if member.offset}
    # The first lies where whoever lists the archive begins to read.

    def number(key: str, start: int) -> int | None:
        return numbers.get(start) if key.endswith(f"/{archive.path.name}") else None

    holdings = Holdings(site.stack, Completions(), number)
    return Killers(holdings, archive.path.name, archive.of(Nature.KILLER), Counter())


@asynccontextmanager
async def no_money(site: Site) -> AsyncIterator[None]:
    """Ordinary work with next to no budget; against it a jump of rejections is seen a quarter of an hour later."""
    job = await site.submit(site.archive(HEALTHY), budget=1e-9)
    yield
    await asyncio.to_thread(_cancel, site, [job])


@asynccontextmanager
async def failing_model(site: Site) -> AsyncIterator[None]:
    """Triton answers every inference with an error of its own."""
    site.stack.model.rule = internal
    try:
        await site.submit(site.archive(100))
        yield
    finally:
        site.stack.model.rule = honest
        await asyncio.to_thread(_release, site)


def _release(site: Site) -> None:
    with site.client() as client:
        for held in client.held():
            if held.kind == "model":
                client.release(held)


@asynccontextmanager
async def no_workers(site: Site) -> AsyncIterator[None]:
    """Whoever segments dies as soon as it is started, while more and more images come; so does Jaeger.

    Some images have a deadline of a minute, which no outage stops: nobody is away who could come back.
    """
    jobs: list[str] = []
    async with site.gone("stage-segment", "jaeger"):
        await site.submit(site.archive(20), deadline=DEADLINES[0])
        coming = asyncio.create_task(_more(site, jobs))
        try:
            yield
        finally:
            coming.cancel()
            await asyncio.wait({coming})
            await asyncio.to_thread(_cancel, site, jobs)


async def _more(site: Site, jobs: list[str]) -> None:
    jobs.append(await site.submit(site.archive(FLOOD)))
    while True:
        await asyncio.sleep(DRIP_SECONDS)
        jobs.append(await site.submit(site.archive(DRIP)))


def _cancel(site: Site, jobs: list[str]) -> None:
    with site.client() as client:
        for job in jobs:
            client.cancel(job)


@asynccontextmanager
async def nobody_counts(site: Site) -> AsyncIterator[None]:
    """The collector dies as soon as it is started, and a slice is announced by a newer program than ours."""
    newer = b'{"v": 99, "job": "newer"}'
    async with site.gone("stage-collect"):
        await asyncio.to_thread(site.records.send, SliceListed.topic, b"newer", newer, [])
        await site.submit(site.archive(200))
        yield


@asynccontextmanager
async def no_model(site: Site) -> AsyncIterator[None]:
    """Nobody listens where Triton was."""
    await site.stack.model.close()
    try:
        await site.submit(site.archive(200))
        yield
    finally:
        await site.stack.model.open()


@asynccontextmanager
async def broken_files(site: Site) -> AsyncIterator[None]:
    """Nearly half of all images are cut off in their middle; few enough that the day as a whole stays a good one."""
    await site.submit(site.archive(300, poison=0.9))
    yield


@asynccontextmanager
async def no_servers(site: Site) -> AsyncIterator[None]:
    """The broker dies as soon as it is started, and the bucket can't be reached, while people ask the API."""
    async with AsyncExitStack() as mending:
        await mending.enter_async_context(site.gone("kafka"))
        await site.stack.store.close()
        mending.push_async_callback(site.stack.store.open)
        asking = asyncio.create_task(_ask(site))
        mending.callback(asking.cancel)
        yield


async def _ask(site: Site) -> None:
    with site.client(patience=0.0) as client:
        while True:
            with suppress(MonolayerError):
                await asyncio.to_thread(client.jobs)
            await asyncio.sleep(1)


SCENES = (
    Scene(
        "junk, deadly images and a small disk",
        (
            "MonolayerMessagesQuarantined",
            "MonolayerDecodersDie",
            "MonolayerDiskNearlyFull",
        ),
        strangers,
        6,
    ),
    Scene(
        "a model that fails on everything",
        ("MonolayerModelHeld", "MonolayerRejectsHealthyImages"),
        failing_model,
        5,
    ),
    Scene("much work for little money", ("MonolayerBudgetSpent",), no_money, 5),
    Scene(
        "no workers, more and more images, and no Jaeger",
        (
            "MonolayerDeadlinesMissed",
            "MonolayerIdleBesideBacklog",
            "MonolayerStageStalled",
            "MonolayerProcessDown",
            "MonolayerTracesDropped",
        ),
        no_workers,
        16,
    ),
    Scene(
        "no collector, and an event of a newer program",
        ("MonolayerTallyBehind", "MonolayerEventTooLong"),
        nobody_counts,
        10,
    ),
    Scene("nearly half of all images are broken", ("MonolayerRejectionsJump",), broken_files, 4),
    Scene("no Triton", ("MonolayerTritonAway",), no_model, 5),
    Scene("no broker and no bucket", ("MonolayerBacklogUnknown", "MonolayerApiFails"), no_servers, 9),
)
"""In this order: a jump of rejections is one against an ordinary quarter of an hour before it."""
