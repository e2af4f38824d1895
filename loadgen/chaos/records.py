"""What crosses Kafka during a run, heard by nobody's group, and what is slipped in between."""

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

REMEMBERED = 300
"""Records of a topic that are kept, to be sent again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, Any]]

    @property
    def event(self) -> dict[str, Any]:
        """Its JSON object; empty where it is none."""
        try:
            event = json.loads(self.value or b"")
        except ValueError:
            return {}
        return event if isinstance(event, dict) else {}


Listener = Callable[[Record], None]


class Records:
    """Hears all topics from their beginning, in a thread, and sends what it is told.

    Parameters
    ----------
    bootstrap
        ``host:port`` of the broker.
    """

    def __init__(self, bootstrap: str) -> None:
        quick = {"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 250}
        consuming = {"group.id": "chaos", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
        self.listeners: list[Listener] = []
        self.recent: dict[str, deque[Record]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._consumer = Consumer({**quick, **consuming})
        self._producer = Producer({**quick, "linger.ms": 0, "message.timeout.ms": 60_000})
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="records", daemon=True)

    def open(self) -> None:
        """Begin to listen."""
        topics = self._consumer.list_topics(timeout=20).topics
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic, found in topics.items()
                if not topic.startswith("__")
                for partition in found.partitions
            ]
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._enough.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._producer.flush(1)
        self._consumer.close()

    @property
    def topics(self) -> list[str]:
        """The topics on which something was heard, in the order of their names."""
        return sorted(topic for topic, records in self.recent.items() if records)

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, Any]]) -> None:
        """Send a record; returns when the broker has it, or after a minute."""
        self._producer.produce(topic, value, key, headers=headers)
        self._producer.flush(60)

    def _listen(self) -> None:
        while not self._enough.is_set():
            try:
                messages = self._consumer.consume(200, timeout=0.02)
            except KafkaException:
                time.sleep(0.1)
                continue
            for message in messages:
                if not message.error():
                    self._hear(message)

    def _hear(self, message: Any) -> None:
        where = (message.topic(), message.partition(), message.offset())
        record = Record(*where, message.key(), message.value(), message.headers() or [])
        self.recent[record.topic].append(record)
        for listener in list(self.listeners):
            listener(record)
