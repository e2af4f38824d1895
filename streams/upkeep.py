"""What a worker does for the jobs it owns besides ticking off: it sweeps every minute, and tidies up every hour."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from observability import metrics
from observability.logs import log
from storage import keys
from storage.objects import StoreError
from streams import retention
from streams.jobs import markers
from streams.kafka import Backlog
from streams.notices.telling import Telling, Terms
from streams.retention import Keeping
from streams.sweep import SECONDS, Sweeper
from streams.tools import Tools
from streams.work.lane import LaneOfWork

TIDY_SECONDS = 3600.0
_TIDIER = "retention"
"""Tidying up is one worker's: whoever would own a job of this name."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How often, and what is kept."""

    sweep_seconds: float = SECONDS
    keeping: Keeping = field(default_factory=Keeping)
    terms: Terms = field(default_factory=Terms)


async def keep_telling(upkeep: Upkeep, lane: LaneOfWork, tools: Tools) -> None:
    """Tell whoever wants to know of the ends of the jobs whose outcomes this lane reads, until cancelled."""
    await Telling(tools.store, _owner(lane), upkeep.terms).go_on()


async def keep_up(upkeep: Upkeep, lane: LaneOfWork, tools: Tools, bootstrap: str) -> None:
    """Look after the jobs whose outcomes this lane reads, until cancelled."""

    async def healthy() -> bool:
        answers = await asyncio.gather(*(tools.gate.healthy(model) for model in tools.models.values()))
        return all(answers)

    owns = _owner(lane)
    seconds, accounts = upkeep.sweep_seconds, tools.tallies.accounts
    sweeper = Sweeper(tools.store, owns, Backlog(bootstrap), healthy, seconds=seconds, accounts=accounts)
    # Both begin somewhere within their period: where no worker lives for a whole one, nobody would ever do either.
    tidied = time.monotonic() - random.uniform(0, TIDY_SECONDS)
    wait = random.uniform(0, seconds)
    while True:
        await asyncio.sleep(wait)
        wait = seconds
        await lane.sender.announce(await sweeper.look())
        await tell_held(tools)
        if time.monotonic() - tidied > TIDY_SECONDS and owns(_TIDIER):
            tidied = time.monotonic()
            await _tidy(upkeep.keeping, tools)


def _owner(lane: LaneOfWork) -> Callable[[str], bool]:
    def owns(job: str) -> bool:
        return lane.ready and lane.subscription.reads(job.encode())

    return owns


async def tell_held(tools: Tools) -> None:
    """Say in the metrics which models are held."""
    try:
        held = {each.what for each in await tools.fetch(markers.held, tools.store)}
    except StoreError:
        metrics.MODEL_HELD.clear()  # nobody can tell
        return
    for model in tools.models.values():
        metrics.MODEL_HELD.labels(model.name).set(keys.MODEL + model.digest in held)


async def _tidy(keeping: Keeping, tools: Tools) -> None:
    try:
        swept = await tools.fetch(retention.sweep, tools.store, keeping)
    except StoreError as error:
        log().warning("retention_waits", error=str(error))
    else:
        log().info("retention_swept", swept=repr(swept))
