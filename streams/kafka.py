"""confluent-kafka's only home: topics, and producing from outside a stage."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

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


READERS: Mapping[type[Event], str] = {
    UploadReceived: "unzip",
    SliceListed: "announce",
    ImageFound: "tile",
    TilePlanned: "predict",
    TilePredicted: "postprocess",
    ImageEnded: "collect",
}
"""The stage that reads each event's topic."""
GROUPS: Mapping[str, str] = {
    f"{stage}{lane}": f"{event.topic}{lane}"
    for event, stage in READERS.items()
    for lane in ([f".{lane}" for lane in Lane] if event.laned else [""])
}
"""Every consumer group, named after its stage and lane, and the topic it reads."""
REJECTED = "rejected"
"""A copy of every rejection, for people; nothing reads it back."""
TOPICS = _topics()


def _quick(bootstrap: str) -> dict[str, str | int | float | bool]:
    """Settings of a client that says nothing, and comes back soon after an outage."""
    return {"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 250}


def create_topics(bootstrap: str, replicas: int = 1) -> None:
    """Create what is missing; existing topics stay as they are. Raises `BrokerAway`."""
    admin = AdminClient(_quick(bootstrap))
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
    admin = AdminClient(_quick(bootstrap))
    while True:
        try:
            if wanted <= admin.list_topics(timeout=2).topics.keys():
                return
        except KafkaException:
            pass
        time.sleep(0.1)


def answers(bootstrap: str) -> Callable[[], None]:
    """A question that only a working broker answers: its metadata; raises `BrokerAway`."""
    admin = AdminClient(_quick(bootstrap))

    def ask() -> None:
        try:
            brokers = admin.list_topics(timeout=3).brokers
        except KafkaException as error:
            raise BrokerAway(f"Kafka does not answer: {error.args[0].str()}") from None
        if not brokers:
            raise BrokerAway("Kafka's metadata names no broker")

    return ask


Place = tuple[str, int]
"""A topic and a partition."""


class Backlog:
    """How many events are not finished yet, in all topics that stages read; none while nobody can tell.

    Parameters
    ----------
    bootstrap
        The broker's address.
    groups
        Consumer groups and the topic each reads.
    seconds
        How long the broker may take for each of some dozen answers.
    """

    def __init__(self, bootstrap: str, groups: Mapping[str, str] = GROUPS, seconds: float = 5.0) -> None:
        self._groups = groups
        self._bootstrap = bootstrap
        self._admin = AdminClient(_quick(bootstrap))
        self._seconds = seconds

    def __call__(self) -> int | None:
        """Offsets between what is committed and the ends of the logs. Blocks for some milliseconds."""
        latest, earliest = OffsetSpec.latest(), OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        try:
            # In this order: an event that leaves one topic for the next in between is counted, not overlooked.
            places = self._places()
            finished = {
                place: offset
                for group, topic in self._groups.items()
                for place, offset in self._committed(group, [each for each in places if each[0] == topic]).items()
            }
            ends = self._offsets(places, latest)
            begins = self._offsets(ends.keys() - finished.keys(), earliest)
        except KafkaException:
            return None
        return total_lag(finished, begins, ends)

    def _places(self) -> list[Place]:
        known = self._admin.list_topics(timeout=self._seconds).topics
        read = [topic for topic in self._groups.values() if topic in known]
        return [(topic, partition) for topic in read for partition in known[topic].partitions]

    def _committed(self, group: str, places: Sequence[Place]) -> dict[Place, int]:
        """Asked as a member would: an admin client ends the process when the broker goes (librdkafka 4605)."""
        consumer = Consumer({**_quick(self._bootstrap), "group.id": group, "enable.auto.commit": False})
        try:
            found = consumer.committed([TopicPartition(*place) for place in places], timeout=self._seconds)
        finally:
            consumer.close()
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def _offsets(self, places: Iterable[Place], spec: OffsetSpec) -> dict[Place, int]:
        wanted = {TopicPartition(*place): spec for place in places}
        if not wanted:
            return {}
        asked = self._admin.list_offsets(wanted, request_timeout=self._seconds)
        return {(each.topic, each.partition): future.result().offset for each, future in asked.items()}


def total_lag(finished: Mapping[Place, int], begins: Mapping[Place, int], ends: Mapping[Place, int]) -> int | None:
    """What lies between; none where a partition holds events of which nobody ever finished one."""
    if any(end > begins[place] for place, end in ends.items() if place not in finished):
        return None
    return sum(max(0, end - finished[place]) for place, end in ends.items() if place in finished)


class Announcer:
    """Sends events from outside a stage: the API and the inbox. Confirmed by all replicas; perhaps twice."""

    def __init__(self, bootstrap: str, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._producer = Producer(
            _quick(bootstrap) | {"acks": "all", "linger.ms": 0, "message.timeout.ms": int(seconds * 1000)}
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
