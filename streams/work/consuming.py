"""Reading and writing topics through Faust: the only module that knows it.

Each subscription is a Faust app of its own (rule 17). Its commit position is the reader's, never Faust's, and no
partition is ever paused: Faust would skip what was fetched for it (rule 16).
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import faust
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]
from aiokafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP as TP

from observability.logs import log
from observability.tracing import HEADER
from streams.brokers import MECHANISM, Brokers
from streams.work.tracker import Mark

RELEASED = "released"
"""Written in place of a worker's name when it lets go of a partition in good order."""
COMMIT_SECONDS = 0.5
RELEASE_SECONDS = 2.0
FETCH_SECONDS = 0.5
"""How long the broker holds a fetch that has nothing to give; Faust's 1.5 s are lost after every rebalance."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record as it came."""

    tp: TP
    offset: int
    value: bytes
    traceparent: str
    sent: float = 0.0
    """Seconds since 1970, by the clock of whoever sent it."""


class Reader(Protocol):
    """Who reads a topic: told what it may read from where, asked what to commit, given the records."""

    topic: str
    by: str
    """The worker's name, written beside its commits."""

    def starts_at(self, tp: TP, offset: int) -> None:
        """The group has committed this offset of the partition: it comes next."""

    def inherits(self, tp: TP, mark: Mark) -> None:
        """The partition's last owner had written this."""

    def found(self) -> None:
        """Partitions were assigned, perhaps none."""

    def lost(self, partitions: set[TP]) -> None:
        """These are no longer ours."""

    async def commit(self) -> bool:
        """Write what is finished and what was begun."""

    async def release(self) -> None:
        """Write what is finished, and that nobody died on the rest."""

    async def take(self, deliveries: AsyncIterator[Delivery]) -> None:
        """Take records on, one after the other."""


class Subscription:
    """One topic, read by one group in this process, and a producer beside it."""

    def __init__(self, group: str, bootstrap: str, buffer: int, fetch_bytes: int, reader: Reader) -> None:
        self._topic = reader.topic
        self._app = _app(group, bootstrap, buffer, fetch_bytes)
        self._app.reader = reader
        topic = self._app.topic(reader.topic, value_serializer="raw", key_serializer="raw")

        async def take(stream: Any) -> None:
            await reader.take(_delivered(stream))

        self._app.agent(topic, name=f"{group}.agent")(take)

    @property
    def crashed(self) -> bool:
        """Whether it gave up for good."""
        return bool(self._app.crashed)

    async def start(self) -> None:
        """Join the group."""
        await self._app.start()

    async def stop(self) -> None:
        """Leave the group."""
        await self._app.stop()

    async def send(self, topic: str, key: bytes, value: bytes, trace: str) -> None:
        """Return when all replicas have it; raises what the client library raises."""
        to = self._app.topic(topic, value_serializer="raw", key_serializer="raw")
        await (await to.send(key=key, value=value, headers=[(HEADER, trace.encode())]))

    async def write_marks(self, marks: Mapping[TP, Mark], by: str) -> bool:
        """Commit; whether the broker took it. It refuses while the group changes, and then nothing is lost."""
        return bool(await self._consumer._thread.call_thread(self._consumer.write_marks, marks, by))

    async def seek(self, tp: TP, offset: int) -> None:
        """Read on from there."""
        await self._consumer.seek(tp, offset)

    def reads(self, key: bytes) -> bool:
        """Whether records with this key come to this process: the key's partition is assigned to it."""
        count = self._consumer.topic_partitions(self._topic)
        if not count:
            return False
        partition = DefaultPartitioner()(key, list(range(count)), [])
        return TP(self._topic, partition) in self._consumer.assignment()

    async def earliest(self, tp: TP) -> int:
        """Where the partition's log begins."""
        return int((await self._consumer.earliest_offsets(tp)).get(tp, 0))

    def end(self, tp: TP) -> int | None:
        """Where the partition's log ends, as of the last fetch."""
        return self._consumer.highwater(tp)

    @property
    def _consumer(self) -> "_Consumer":
        return cast(_Consumer, self._app.consumer)


async def _delivered(stream: Any) -> AsyncIterator[Delivery]:
    async for event in stream.noack().events():
        trace = ((event.headers or {}).get(HEADER) or b"").decode("ascii", "replace")
        yield Delivery(event.message.tp, event.message.offset, event.value, trace, event.message.timestamp)


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        made = super()._create_worker_consumer(transport)
        made._fetch_max_wait_ms = int(FETCH_SECONDS * 1000)  # Faust has no setting for it
        return made


class _Consumer(driver.Consumer):
    """Commits the reader's marks instead of Faust's own positions."""

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    @property
    def _reader(self) -> Reader:
        return cast(_App, self.app).reader

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Called by Faust twice a second."""
        for acked in (self._acked, self._acked_index):
            acked.clear()  # Faust's own book-keeping, emptied so that it can't grow
        return await self._reader.commit()

    async def perform_seek(self) -> None:
        """Start from the committed offsets, expect nothing else, and learn who else had begun what.

        Where nothing is committed the log's start is expected, or what was fetched for an earlier assignment and comes
        late would be taken for the first. Faust asks for one partition after another, and was told of two, after a
        broker's restart, that nothing is committed: what the marks say counts as well.
        """
        await super().perform_seek()
        committed = {TP(*tp): offset for tp, offset in self._committed_offset.items() if offset}
        marks = await self._thread.call_thread(self._inherited)
        missed = {tp: mark.offset for tp, mark in marks.items() if mark.offset > committed.get(tp, 0)}
        for tp, offset in missed.items():
            await self.seek(tp, offset)
        fresh = self.assignment() - committed.keys() - missed.keys()
        starts = await self.earliest_offsets(*fresh) if fresh else {}
        for tp, offset in {**starts, **committed, **missed}.items():
            self._reader.starts_at(TP(*tp), offset)
        for tp, mark in marks.items():
            if max(mark.begun, mark.suspects) > mark.offset:
                self._reader.inherits(tp, mark)

    async def write_marks(self, marks: Mapping[TP, Mark], by: str) -> bool:
        """In the consumer's own thread."""
        consumer = self._thread._consumer
        # Evicted, generation -1: the broker would take the commit while the group is empty, over newer ones.
        if consumer is None or consumer._coordinator.generation < 0:
            return False
        ours = self._thread.assignment()
        if any(tp not in ours for tp in marks):
            return False
        values = {
            driver.ensure_aiokafka_TP(tp): OffsetAndMetadata(mark.offset, f"{mark.begun} {mark.suspects} {by}")
            for tp, mark in marks.items()
        }
        try:
            await consumer.commit(values)
        except (KafkaError, TimeoutError) as error:
            log().info("commit_refused", topic=self._reader.topic, error=repr(error))
            return False
        return True

    async def _inherited(self) -> dict[TP, Mark]:
        """What was committed of our partitions, in the consumer's own thread; we have not died on what we began."""
        consumer = self._thread._consumer
        if consumer is None:
            return {}
        known = await consumer._coordinator.fetch_committed_offsets(list(consumer.assignment()))
        found = {}
        for tp, value in known.items():
            begun, suspects, by = (*value.metadata.split(" ", 2), "", "", "")[:3]
            if value.offset >= 0 and begun.isdigit() and suspects.isdigit():
                died = int(suspects) if by != self._reader.by else value.offset
                found[TP(tp.topic, tp.partition)] = Mark(value.offset, int(begun), died)
        return found

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is finished, which shortens what others do again; then forget."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._reader.release(), RELEASE_SECONDS)
        self._reader.lost(revoked)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Work may come."""
        await super().on_partitions_assigned(assigned, generation_id)
        self._reader.found()


class _Producer(driver.Producer):
    def _settings_extra(self) -> dict[str, Any]:
        """Not idempotent: numbers that differ from the broker's after an outage would stop it (aiokafka 1017)."""
        return {"acks": "all"}


class _NoTables(TableManager):
    async def on_start(self) -> None:
        """Without the second that others give their tables to be registered."""
        await self._update_channels()
        await self.recovery.start()


class _Transport(driver.Transport):
    Consumer = _Consumer
    Producer = _Producer


class _App(faust.App):
    reader: Reader

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> _Transport:
        return _Transport(self.conf.broker_producer, self)


def _app(group: str, bootstrap: str, buffer: int, fetch_bytes: int) -> _App:
    brokers = Brokers.of(bootstrap)
    who = faust.SASLCredentials(username=brokers.user, password=brokers.password, mechanism=MECHANISM)
    return _App(
        group,
        broker=[f"kafka://{host}" for host in brokers.hosts.split(",")],
        broker_credentials=who if brokers.user else None,
        store="memory://",
        datadir=Path(tempfile.gettempdir()) / "monolayer-faust",  # made, never used: there are no tables
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,  # created before any worker starts: Faust would not in time
        table_standby_replicas=0,
        TableManager=_NoTables,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=30_000,  # all topics are there before a worker starts
        consumer_max_fetch_size=fetch_bytes,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,  # who joins waits until all others have heard of it
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
