"""The worker on the real Kafka: what is committed, what is redelivered, and how it stops."""

import asyncio
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from storage import keys
from storage.memory import MemoryStore
from streams.events import UploadReceived
from streams.jobs import ledger
from streams.kafka import Announcer
from streams.work import lane
from streams.worker import Worker
from tests.streams.stand import archive, tiff, tools

pytestmark = pytest.mark.integration


class Gated(MemoryStore):
    """A store in which some objects can't be looked at until a gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.waiting = 0

    def stat(self, key: str):  # type: ignore[no-untyped-def]
        if key.endswith("slow.tif"):
            self.waiting += 1
            self.gate.wait(60)
        return super().stat(key)


async def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    async with asyncio.timeout(seconds):
        while not (value := true()):
            await asyncio.sleep(0.05)
        return value


def working(kafka_address: str, store: MemoryStore, scenario: Callable[[], Awaitable[None]]) -> int:
    """Run the small chains in this process while a scenario plays; returns the exit code."""

    async def play() -> int:
        told = asyncio.Event()
        worker = Worker(("unzip", "announce", "collect"), tools(store), kafka_address, drain_seconds=1)
        task = asyncio.create_task(worker.work(told))
        try:
            await until(lambda: worker.ready)
            await scenario()
        finally:
            told.set()
            code = await asyncio.wait_for(task, 20)
        return code

    return asyncio.run(play())


def committed(kafka_address: str) -> dict[int, int]:
    """What the group `unzip` has committed of each partition."""
    consumer = Consumer({"bootstrap.servers": kafka_address, "group.id": "unzip", "enable.auto.commit": False})
    partitions = [TopicPartition("uploads", number) for number in range(4)]
    found = {each.partition: max(each.offset, 0) for each in consumer.committed(partitions, timeout=10)}
    consumer.close()
    return found


def put(store: MemoryStore, name: str) -> UploadReceived:
    key = keys.upload(uuid.uuid4().hex, name)
    store.put(key, archive({"a.tif": tiff()}))
    return UploadReceived(object=key)


def produce(kafka_address: str, events: list[UploadReceived]) -> None:
    """All to one partition, in order."""
    producer = Producer({"bootstrap.servers": kafka_address})
    for event in events:
        producer.produce("uploads", event.encode(), partition=3)
    assert producer.flush(10) == 0


def listed(store: MemoryStore) -> set[str]:
    """The names of the uploads that were put here and are listed; others' uploads on the topic are none of ours."""
    jobs = [job for job in ledger.jobs(store) if not job.refused]
    return {job.name for job in jobs if ledger.read_index(store, job.job) is not None}


def end_of_partition(kafka_address: str) -> int:
    """Where the next event of the partition will stand."""
    consumer = Consumer({"bootstrap.servers": kafka_address, "group.id": "looks-only"})
    for _ in range(100):
        try:
            _, end = consumer.get_watermark_offsets(TopicPartition("uploads", 3), timeout=10)
        except KafkaException:  # the topic is new, and its leader not chosen yet
            time.sleep(0.1)
        else:
            break
    consumer.close()
    return int(end)


def test_an_unfinished_event_holds_the_commit_and_is_redelivered_after_a_stop(kafka_address: str) -> None:  # rule 16
    store = Gated()
    before = end_of_partition(kafka_address)
    events = [put(store, "a.zip"), put(store, "slow.tif"), put(store, "b.zip")]

    async def first() -> None:
        produce(kafka_address, events)
        await until(lambda: store.waiting and listed(store) >= {"a.zip", "b.zip"})
        await until(lambda: committed(kafka_address)[3] == before + 1)

    stopping = threading.Timer(12, store.gate.set)  # the thread that waits has to end some time
    stopping.start()
    working(kafka_address, store, first)
    assert committed(kafka_address)[3] == before + 1
    stopping.join()

    async def second() -> None:
        await until(lambda: listed(store) == {"a.zip", "slow.tif", "b.zip"})
        await until(lambda: committed(kafka_address)[3] == before + 3)

    assert working(kafka_address, store, second) == 0


def test_a_topic_that_stands_still_with_a_full_queue_stops_no_other(  # rule 17
    kafka_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "AHEAD", 4)
    store = Gated()
    many = [put(store, "slow.tif")] * 40  # more than all slots and buffers hold

    async def scenario() -> None:
        produce(kafka_address, many)
        await until(lambda: store.waiting)
        producer = Producer({"bootstrap.servers": kafka_address})
        producer.produce("outcomes", b"junk", partition=0)
        producer.flush(10)
        await until(lambda: list(store.list("quarantine/outcomes/0/")))
        assert "slow.tif" not in listed(store)
        store.gate.set()
        await until(lambda: committed(kafka_address)[3] == end_of_partition(kafka_address))

    assert working(kafka_address, store, scenario) == 0


def test_junk_is_quarantined_and_passed(kafka_address: str) -> None:  # rule 8
    store = MemoryStore()

    async def scenario() -> None:
        producer = Producer({"bootstrap.servers": kafka_address})
        producer.produce("uploads", b"\xff\x00 junk", partition=0)
        producer.flush(10)
        await until(lambda: list(store.list("quarantine/uploads/0/")))

    assert working(kafka_address, store, scenario) == 0


def test_an_announced_upload_is_listed_and_its_trace_travels(kafka_address: str) -> None:
    store = MemoryStore()
    event = put(store, "traced.zip")
    headers: list[Any] = []

    async def scenario() -> None:
        announcer = Announcer(kafka_address)
        await asyncio.to_thread(announcer.announce, event)
        announcer.close()
        await until(lambda: "traced.zip" in listed(store))
        headers.extend(await asyncio.to_thread(read_headers, kafka_address, ledger_job(store)))

    assert working(kafka_address, store, scenario) == 0
    names = dict(headers)
    assert names["traceparent"].startswith(b"00-")


def ledger_job(store: MemoryStore) -> str:
    return next(job.job for job in ledger.jobs(store) if job.name == "traced.zip")


def read_headers(kafka_address: str, job: str) -> list[Any]:
    """The headers of that job's first image on its topic."""
    group = {"group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": kafka_address, **group})
    consumer.subscribe(["images.interactive"])
    try:
        given_up = time.monotonic() + 60
        while time.monotonic() < given_up:  # other tests' images are on that topic as well
            message = consumer.poll(1)
            if message and not message.error() and job.encode() in (message.value() or b""):
                return list(message.headers() or [])
    finally:
        consumer.close()
    raise AssertionError("no image was announced")
