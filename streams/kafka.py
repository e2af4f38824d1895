"""confluent-kafka's only home: topics, and producing from outside a stage."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from observability.tracing import HEADER, traceparent
from streams.events import Event, ImageEnded, ImageFound, Lane, SliceListed, TilePlanned, TilePredicted, UploadReceived

DAY_MS = 24 * 3600 * 1000
RETENTION_MS = 7 * DAY_MS
"""Longer than the longest deadline, shorter than the offsets' 30 days."""


class BrokerAway(Exception):
    """No broker confirmed in time; what was sent may or may not have arrived, so send it again."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is created; consumers of one group can't be more than its partitions."""

    name: str
    partitions: int


def _topics() -> list[Topic]:
    once: list[tuple[type[Event], int]] = [(UploadReceived, 4), (SliceListed, 8), (ImageEnded, 8)]
    laned: list[tuple[type[Event], int]] = [(ImageFound, 16), (TilePlanned, 16), (TilePredicted, 16)]
    return [
        *(Topic(event.topic, partitions) for event, partitions in once),
        *(Topic(f"{event.topic}.{lane}", partitions) for event, partitions in laned for lane in Lane),
        Topic(REJECTED, 1),
    ]


REJECTED = "rejected"
"""A copy of every rejection, for people; nothing reads it back."""
TOPICS = _topics()


def create_topics(bootstrap: str, replicas: int = 1) -> None:
    """Create what is missing; existing topics stay as they are. Raises `BrokerAway`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    config = {"retention.ms": str(RETENTION_MS), "max.message.bytes": "1048576"}
    wanted = [NewTopic(topic.name, topic.partitions, replicas, config=config) for topic in TOPICS]
    for name, future in admin.create_topics(wanted, request_timeout=15).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise BrokerAway(f"topic {name} could not be created: {error.args[0].str()}") from None


def wait_for_topics(bootstrap: str) -> None:
    """Return when the broker answers and has every topic, however long that takes."""
    wanted = {topic.name for topic in TOPICS}
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 250})
    while True:
        try:
            if wanted <= admin.list_topics(timeout=2).topics.keys():
                return
        except KafkaException:
            pass
        time.sleep(0.1)


def answers(bootstrap: str) -> Callable[[], None]:
    """A question that only a working broker answers: its metadata; raises `BrokerAway`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 250})

    def ask() -> None:
        try:
            brokers = admin.list_topics(timeout=3).brokers
        except KafkaException as error:
            raise BrokerAway(f"Kafka does not answer: {error.args[0].str()}") from None
        if not brokers:
            raise BrokerAway("Kafka's metadata names no broker")

    return ask


class Announcer:
    """Sends events from outside a stage: the API and the inbox. Idempotent, confirmed by all replicas."""

    def __init__(self, bootstrap: str, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 0,
                "message.timeout.ms": int(seconds * 1000),
                "log_level": 0,
            }
        )

    def announce(self, event: Event) -> None:
        """Return when the broker has the event; raises `BrokerAway`."""
        confirmed: list[Any] = []
        self._producer.produce(
            event.address,
            event.encode(),
            event.key.encode(),
            headers=[(HEADER, traceparent(event.job or event.key).encode())],
            on_delivery=lambda error, message: confirmed.append(error),
        )
        until = time.monotonic() + self._seconds + 1
        while not confirmed and time.monotonic() < until:
            self._producer.poll(0.1)
        if not confirmed or confirmed[0] is not None:
            raise BrokerAway(f"Kafka did not take the event: {confirmed[0].str() if confirmed else 'no answer'}")

    def close(self) -> None:
        """Let go of the connection."""
        self._producer.flush(1)
