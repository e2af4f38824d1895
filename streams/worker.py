"""Runs chains of stages on Faust: the only module that knows it.

Each topic and lane is a Faust app of its own in the process (rule 17): own consumer, group, commit position and slots.
An event is taken on before anything is awaited; its results are durable, then announced; only then does the commit
position pass it (rule 16). Partitions are never paused: Faust would skip what was fetched for them.
"""

import asyncio
import contextlib
import random
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from observability.logs import log
from observability.tracing import HEADER, traceparent
from streams import policy, stages
from streams.events import Event, ImageEnded, ImageEvent, Lane, NewerEvent
from streams.kafka import REJECTED
from streams.stages import Stage
from streams.tools import Tools
from streams.tracker import Entry, Order, Tracker
from streams.watchdog import Watchdog

DRAIN_SECONDS = 4.0
COMMIT_SECONDS = 0.5
BEAT_SECONDS = 1.0
SENT_TOGETHER = 200
"""Announcements in flight at once: a slice announces up to 1,000 images."""


class _Consumer(driver.Consumer):
    """Commits our tracker's position instead of Faust's own."""

    @property
    def _lane(self) -> "LaneOfWork":
        return cast(_App, self.app).lane_of_work

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        consumer = self._thread._consumer
        # Evicted, generation -1: the broker would take the commit while the group is empty, over newer ones.
        if consumer is None or consumer._coordinator.generation < 0:
            return iter(())
        return iter(list(self._lane.tracker.position))

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked.get(tp)  # Faust's own book-keeping, emptied so that it can't grow
        if acked:
            acked.clear()
            self._acked_index[tp].clear()
        return self._lane.tracker.position.get(tp)

    async def perform_seek(self) -> None:
        """Start from the committed offsets, and expect nothing else."""
        await super().perform_seek()
        for tp, offset in self._committed_offset.items():
            if offset:
                self._lane.tracker.seed(tp, offset)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is finished, which shortens what others do again; then forget."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.force_commit(), 2)
        self._lane.lost(revoked)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Work may come."""
        await super().on_partitions_assigned(assigned, generation_id)
        self._lane.ready = True


class _Producer(driver.Producer):
    def _settings_extra(self) -> dict[str, Any]:  # Faust is idempotent only in exactly-once mode
        return {"acks": "all", "enable_idempotence": True}


class _Transport(driver.Transport):
    Consumer = _Consumer
    Producer = _Producer


class _App(faust.App):
    lane_of_work: "LaneOfWork"

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> _Transport:
        return _Transport(self.conf.broker_producer, self)


class LaneOfWork:
    """One topic in one lane, read by one chain: its app, its tracker, its slots."""

    def __init__(self, chain: Sequence[Stage], lane: Lane | None, worker: "Worker", bootstrap: str, slots: int) -> None:
        self.chain = chain
        self.tracker: Tracker[TP] = Tracker()
        self.ready = False
        self.running: set[asyncio.Task[None]] = set()
        self._worker = worker
        self._slots = asyncio.Semaphore(slots)
        self._sought: dict[TP, tuple[int, int]] = {}
        self.topic = stages.topic(chain[0], lane)
        group = f"{chain[0].name}.{lane}" if lane else chain[0].name
        self.app = _app(group, bootstrap, buffer=min(64, 2 * slots + 4))
        self.app.lane_of_work = self
        source = self.app.topic(self.topic, value_serializer="raw", key_serializer="raw")
        self.app.agent(source, name=f"{group}.agent")(self._take)

    def lost(self, partitions: set[TP]) -> None:
        """These partitions are no longer ours."""
        self.ready = False
        self.tracker.reset(partitions)
        self._worker.tools.fanin.forget()
        self._worker.tools.tallies.forget()

    async def _take(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            entry = await self._begin(message.tp, message.offset)
            if entry is None:
                continue
            await self._slots.acquire()
            if self._worker.draining:
                await asyncio.Event().wait()
            task = asyncio.create_task(self._work(event, entry))
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def _begin(self, tp: TP, offset: int) -> Entry | None:
        order = self.tracker.order(tp, offset)
        if order is Order.AGAIN:
            return None
        if order is Order.GAP and not await self._truncated(tp, offset):
            return None
        return self.tracker.begin(tp, offset)

    async def _truncated(self, tp: TP, offset: int) -> bool:
        """Whether the log really begins only here; if not, what was skipped is fetched again."""
        expected = self.tracker.expected(tp)
        earliest = await self.app.consumer.earliest_offsets(tp)
        if earliest.get(tp, 0) > expected:
            log().warning("log_truncated", topic=self.topic, partition=tp.partition, expected=expected, got=offset)
            return True
        if self._sought.get(tp) == (expected, offset):
            log().warning("gap_accepted", topic=self.topic, partition=tp.partition, expected=expected, got=offset)
            return True  # read again from there, and the same comes: a transaction's marker, or a compacted log
        if self._sought.get(tp, (None, 0))[0] != expected:
            self._sought[tp] = (expected, offset)
            log().warning("gap_sought_back", topic=self.topic, partition=tp.partition, expected=expected, got=offset)
            await self.app.consumer.seek(tp, expected)
        return False

    async def _work(self, event: Any, entry: Entry) -> None:
        message = event.message
        try:
            parent = ((event.headers or {}).get(HEADER) or b"").decode("ascii", "replace")
            record = policy.Message(message.topic, message.partition, message.offset, event.value, parent)
            await self._announce(await policy.answer(self.chain, record, self._worker.tools), parent)
            self.tracker.finish(message.tp, entry)
        except NewerEvent as why:
            log().error("event_newer_than_program", topic=self.topic, why=str(why))
            await asyncio.Event().wait()  # keeps its slot and its offset: this app goes no further
        finally:
            self._slots.release()

    async def _announce(self, events: Sequence[Event], parent: str) -> None:
        for first in range(0, len(events), SENT_TOGETHER):
            await asyncio.gather(*(self._send(event, parent) for event in events[first : first + SENT_TOGETHER]))

    async def _send(self, event: Event, parent: str) -> None:
        """Until the broker has it: giving up here would freeze the partition's commit."""
        trace = traceparent(event.job, event.image, event.round) if isinstance(event, ImageEvent) else parent
        addresses = [event.address]
        if isinstance(event, ImageEnded) and event.outcome == "rejected":
            addresses.append(REJECTED)
        for address in addresses:
            await self._until_sent(address, event, trace or traceparent(event.job))

    async def _until_sent(self, address: str, event: Event, trace: str) -> None:
        topic = self.app.topic(address, value_serializer="raw", key_serializer="raw")
        while True:
            try:
                await (
                    await topic.send(key=event.key.encode(), value=event.encode(), headers=[(HEADER, trace.encode())])
                )
            except Exception as error:
                log().warning("send_failed", topic=address, job=event.job, error=repr(error))
                await asyncio.sleep(random.uniform(0.2, 1.0))
            else:
                return


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
    ) -> None:
        self.tools = tools
        self.draining = False
        self._watchdog = Watchdog()
        self._heartbeat = heartbeat
        self._drain_seconds = drain_seconds
        self._lanes = [
            LaneOfWork(chain, lane, self, bootstrap, chain[0].slots or slots)
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
        apps = [lane.app for lane in self._lanes]
        try:
            await asyncio.gather(*(app.start() for app in apps))
            while not told.is_set() and not any(app.crashed for app in apps):
                self._beat()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), BEAT_SECONDS)
        finally:
            await self._drain()
            await asyncio.gather(*(app.stop() for app in apps), return_exceptions=True)
            self._watchdog.rest()
        return 0 if told.is_set() else 1

    @property
    def ready(self) -> bool:
        """Whether every lane has its partitions."""
        return all(lane.ready for lane in self._lanes)

    def _beat(self) -> None:
        if self._heartbeat and self.ready:
            self._heartbeat.touch()

    async def _drain(self) -> None:
        """Take nothing on any more, let what runs finish for some seconds, and commit what is durable."""
        self.draining = True
        self._watchdog.stopping()
        running = {task for lane in self._lanes for task in lane.running}
        if running:
            _, left = await asyncio.wait(running, timeout=self._drain_seconds)
            for task in left:
                task.cancel()
        await asyncio.gather(*(self._commit(lane) for lane in self._lanes))

    async def _commit(self, lane: LaneOfWork) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(cast(_Consumer, lane.app.consumer).force_commit(), 2)


def _app(group: str, bootstrap: str, buffer: int) -> _App:
    return _App(
        group,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=Path(tempfile.gettempdir()) / "monolayer-faust",  # made, never used: there are no tables
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,  # created before any worker starts: Faust would not in time
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=30_000,  # all topics are there before a worker starts
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=15.0,
        broker_request_timeout=15.0,
        broker_max_poll_interval=3600.0,  # hung loops are the watchdog's business (rule 19)
        broker_commit_interval=COMMIT_SECONDS,
        broker_commit_livelock_soft_timeout=3600.0,
        broker_max_poll_records=64,
        stream_buffer_maxsize=buffer,
        stream_wait_empty=False,  # True hangs the stop and the rebalance
        stream_recovery_delay=0,
        stream_processing_timeout=3600.0,
        producer_request_timeout=15.0,
        processing_guarantee="at_least_once",
        worker_redirect_stdouts=False,
    )
