"""A process that runs some chains of stages: starts their lanes, watches over them, and ends in good order."""

import asyncio
import contextlib
import os
import signal
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from observability.logs import log
from streams import kafka, stages
from streams.tools import Tools
from streams.upkeep import Upkeep, keep_telling, keep_up
from streams.work.consuming import RELEASE_SECONDS
from streams.work.lane import LaneOfWork
from streams.work.watchdog import Watchdog

DRAIN_SECONDS = 4.0
BEAT_SECONDS = 1.0


class Worker:
    """One process: some chains, all their lanes."""

    def __init__(
        self,
        chains: Sequence[str],
        tools: Tools,
        bootstrap: str,
        slots: int = 6,
        heartbeat: Path | None = None,
        drain_seconds: float = DRAIN_SECONDS,
        upkeep: Upkeep | None = None,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.tools = tools
        self.name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._bootstrap = bootstrap
        self._upkeep = upkeep or Upkeep()
        self._watchdog = watchdog or Watchdog()
        self._heartbeat = heartbeat
        self._drain_seconds = drain_seconds
        self.lanes = [
            LaneOfWork(chain, lane, tools, self.name, bootstrap, chain[0].slots or slots)
            for chain in map(stages.chain, chains)
            for lane in stages.lanes(chain[0])
        ]

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; returns the exit code."""
        told = asyncio.Event()

        async def until_told() -> int:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, told.set)
            return await self.work(told)

        return asyncio.run(until_told())

    async def work(self, told: asyncio.Event) -> int:
        """Work until told to stop, or until an app crashes; returns the exit code."""
        self._watchdog.watch(asyncio.get_running_loop())
        subscriptions = [lane.subscription for lane in self.lanes]
        keeping_up: list[asyncio.Task[None]] = []
        try:
            await asyncio.gather(*(each.start() for each in subscriptions))
            owners = [lane for lane in self.lanes if lane.chain[0].owns_jobs]
            keeping_up = [asyncio.create_task(self._keep_up(lane)) for lane in owners]
            keeping_up += [asyncio.create_task(keep_telling(self._upkeep, lane, self.tools)) for lane in owners]
            while not told.is_set() and not self._must_end():
                await self.beat()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), BEAT_SECONDS)
        finally:
            for task in keeping_up:
                task.cancel()
            await self._drain()
            self.tools.decoder.close()
            await asyncio.gather(*(each.stop() for each in subscriptions), return_exceptions=True)
            self._watchdog.rest()
        return 0 if told.is_set() else 1

    @property
    def ready(self) -> bool:
        """Whether every lane has its partitions."""
        return all(lane.ready for lane in self.lanes)

    async def _keep_up(self, lane: LaneOfWork) -> None:
        while True:
            try:
                await keep_up(self._upkeep, lane, self.tools, self._bootstrap)
            except Exception as error:
                log().error("upkeep_failed", error=repr(error))
                await asyncio.sleep(BEAT_SECONDS)

    def _must_end(self) -> bool:
        """Whether an app crashed, a thread hangs, or no decoder is to be had: then a new process does better."""
        stuck = self.tools.workshop.hung > 0 or self.tools.decoder.overdue
        return stuck or any(lane.subscription.crashed for lane in self.lanes)

    async def beat(self) -> None:
        """Give a sign of life; end the process where something stands still although every part answers."""
        if self._heartbeat and self.ready:
            self._heartbeat.touch()
        now = time.monotonic()
        stalls = [why for lane in self.lanes if (why := lane.stall(now))]
        away = self.tools.gate.breaker.open_since is not None or self.tools.outages.within(10 * BEAT_SECONDS)
        if away or (stalls and not await self._broker_answers()):
            for lane in self.lanes:
                lane.excuse(now)
        elif stalls:
            self._watchdog.stalled("; ".join(stalls))

    async def _broker_answers(self) -> bool:
        try:
            await asyncio.to_thread(kafka.answers(self._bootstrap))
        except kafka.BrokerAway:
            return False
        return True

    async def _drain(self) -> None:
        """Take nothing on any more, let what runs finish for some seconds, and commit what is durable."""
        for lane in self.lanes:
            lane.draining = True
        self._watchdog.stopping()
        self.tools.decoder.rest()
        running = {task for lane in self.lanes for task in lane.running}
        if running:
            _, left = await asyncio.wait(running, timeout=self._drain_seconds)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=0.5)
        await asyncio.gather(*(self._release(lane) for lane in self.lanes))

    async def _release(self, lane: LaneOfWork) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(lane.release(), RELEASE_SECONDS)
