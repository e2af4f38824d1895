"""Topics as an auditor reads them: from their first record to their last, without joining anybody's group."""

import time
from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self
from uuid import uuid4

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

SECONDS = 15.0
"""A broker that says nothing for so long is away."""
BATCH, BATCH_SECONDS = 1000, 0.1
COMING = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
"""What a broker says of groups just after it was started."""
Ends = dict[int, int]
"""Offsets by partition."""


class TopicsAway(Exception):
    """The topics can't be read, so nothing can be said of them."""


class Record(NamedTuple):
    """A record as it lies in its topic."""

    topic: str
    partition: int
    offset: int
    value: bytes
    key: bytes = b""
    at: float = 0.0
    """When it was sent, in seconds since 1970, as its sender says."""


class Topics(Protocol):
    """What the audit asks of Kafka; raises only `TopicsAway`."""

    def read(self, topic: str) -> Iterator[Record]:
        """Every record from where the last reading of the topic ended up to the topic's end at this moment."""

    def forgotten(self, topic: str) -> set[int]:
        """The partitions whose first records are gone already, by retention."""

    def committed(self, topic: str, group: str) -> Ends:
        """Up to where a group has answered for the records of each partition; 0 where it never did."""


def _settings(bootstrap: str) -> dict[str, str | int | float | bool]:
    """Of any client; errors name the brokers alone, and never who asks."""
    who, _, hosts = bootstrap.rpartition("@")
    settings: dict[str, str | int | float | bool] = {"bootstrap.servers": hosts, "log_level": 0}
    if not who:
        return settings
    user, _, password = who.partition(":")
    login = {"sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": password}
    return settings | {"security.protocol": "SASL_PLAINTEXT"} | login


class KafkaTopics:
    """The topics of a broker.

    Parameters
    ----------
    bootstrap
        The broker's address, `host:port`, or `user:password@host:port` where it asks who comes.
    """

    def __init__(self, bootstrap: str) -> None:
        settings = _settings(bootstrap)
        self._hosts = settings["bootstrap.servers"]
        own = {
            "group.id": f"verify-{uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
        self._consumer = Consumer(settings | own)
        self._admin = AdminClient(settings)
        self._next: dict[str, Ends] = {}

    def read(self, topic: str) -> Iterator[Record]:
        """Every record from where the last reading of the topic ended up to the topic's end at this moment."""
        try:
            yield from self._read(topic)
        except KafkaException as error:
            raise self._away(error.args[0]) from None

    def forgotten(self, topic: str) -> set[int]:
        """The partitions whose first records are gone already, by retention."""
        try:
            return {partition for partition, (low, _) in self._bounds(topic).items() if low > 0}
        except KafkaException as error:
            raise self._away(error.args[0]) from None

    def committed(self, topic: str, group: str) -> Ends:
        """Up to where a group has answered for the records of each partition; 0 where it never did."""
        until = time.monotonic() + SECONDS
        while True:
            try:
                wanted = [TopicPartition(topic, partition) for partition in self._bounds(topic)]
                asked = ConsumerGroupTopicPartitions(group, wanted)
                answer = self._admin.list_consumer_group_offsets([asked], request_timeout=SECONDS)[group].result()
                return {found.partition: max(found.offset, 0) for found in answer.topic_partitions}
            except KafkaException as error:
                if error.args[0].code() not in COMING or time.monotonic() > until:
                    raise self._away(error.args[0]) from None
                time.sleep(0.2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._consumer.close()

    def _read(self, topic: str) -> Iterator[Record]:
        bounds = self._bounds(topic)
        position = {partition: low for partition, (low, _) in bounds.items()} | self._next.get(topic, {})
        waiting = {partition for partition, (_, high) in bounds.items() if position[partition] < high}
        self._consumer.assign([TopicPartition(topic, partition, position[partition]) for partition in waiting])
        while waiting:
            for message in self._batch(topic):
                partition, offset = message.partition() or 0, message.offset() or 0
                ended = message.error() is not None
                if not ended and position[partition] <= offset < bounds[partition][1]:
                    position[partition] = offset + 1
                    sent = message.timestamp()[1] / 1000
                    yield Record(topic, partition, offset, message.value() or b"", message.key() or b"", sent)
                if (offset if ended else offset + 1) >= bounds[partition][1]:
                    waiting.discard(partition)
        self._consumer.unassign()
        self._next[topic] = {partition: max(position[partition], high) for partition, (_, high) in bounds.items()}

    def _batch(self, topic: str) -> list[Message]:
        until = time.monotonic() + SECONDS
        while not (batch := self._consumer.consume(BATCH, timeout=BATCH_SECONDS)):
            if time.monotonic() > until:
                raise TopicsAway(f"Kafka at {self._hosts} sent nothing of {topic} for {SECONDS:.0f} s")
        for message in batch:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise self._away(error)
        return batch

    def _bounds(self, topic: str) -> dict[int, tuple[int, int]]:
        """The first and the next offset of every partition."""
        found = self._consumer.list_topics(topic, timeout=SECONDS).topics[topic]
        if found.error is not None:
            raise self._away(found.error)
        return {
            partition: self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=SECONDS)
            for partition in sorted(found.partitions)
        }

    def _away(self, error: KafkaError) -> TopicsAway:
        return TopicsAway(f"Kafka at {self._hosts} can't be read: {error.str()}")
