"""confluent-kafka's only home: making topics, seeing where groups stand, and announcing from outside a stage."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from observability.tracing import HEADER, traceparent
from streams.brokers import MECHANISM, Brokers
from streams.events import Event
from streams.topics import GROUPS, RETENTION_MS, TOPICS


class BrokerAway(Exception):
    """No broker confirmed in time; what was sent may or may not have arrived, so send it again."""


_ONE_EACH: Mapping[str, str | int | float | bool] = {
    "fetch.message.max.bytes": 4096,
    "fetch.queue.backoff.ms": 10,  # a second of it would be over only in the next look
    "fetch.wait.max.ms": 10,
    "queued.min.messages": 1,
}
"""Settings of a client that wants one event of each partition, now."""


def _quick(bootstrap: str) -> dict[str, str | int | float | bool]:
    """Settings of a client that says nothing, and comes back soon after an outage."""
    brokers = Brokers.of(bootstrap)
    quick: dict[str, str | int | float | bool] = {
        "bootstrap.servers": brokers.hosts,
        "log_level": 0,
        "reconnect.backoff.max.ms": 250,
    }
    return quick | _identity(brokers) if brokers.user else quick


def _identity(brokers: Brokers) -> dict[str, str | int | float | bool]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": MECHANISM,
        "sasl.username": brokers.user,
        "sasl.password": brokers.password,
    }


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


@dataclass(frozen=True, slots=True)
class Position:
    """Where a consumer group stands in one partition, in offsets."""

    begin: int
    """Of the log: what was before is gone."""
    end: int
    """What is written next."""
    committed: int | None
    """What the group reads next; none where it never committed."""

    @property
    def next(self) -> int:
        """What the group reads next, as far as that is still there."""
        return max(self.begin, self.committed or 0)

    @property
    def lag(self) -> int:
        """Events that are not finished."""
        return max(0, self.end - self.next)


class Offsets:
    """Reads where consumer groups stand, without being one of their members.

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
        self._bootstrap = bootstrap
        self._groups = groups
        self._seconds = seconds
        self._admin = AdminClient(_quick(bootstrap))
        self._members: dict[str, Consumer] = {}

    def positions(self) -> dict[str, dict[Place, Position]]:
        """By group and partition; without groups whose topic is not there. Blocks for some milliseconds.

        Raises
        ------
        BrokerAway
            Nobody can tell.
        """
        earliest, latest = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]
        try:
            # In this order: an event that leaves one topic for the next in between is counted, not overlooked.
            places = self._places()
            committed = {group: self._committed(group, places[group]) for group in places}
            every = [place for some in places.values() for place in some]
            begins, ends = self._bounds(every, earliest), self._bounds(every, latest)
        except KafkaException as error:
            raise BrokerAway(f"Kafka does not tell where its groups stand: {error.args[0].str()}") from None
        return {
            group: {place: Position(begins[place], ends[place], committed[group].get(place)) for place in some}
            for group, some in places.items()
        }

    def written(self, places: Mapping[Place, int], seconds: float) -> dict[Place, float]:
        """When the first event from each offset on was written, in seconds since 1970; without what came too late."""
        found: dict[Place, float] = {}
        reader = self._member("", _ONE_EACH)
        reader.assign([TopicPartition(*place, offset) for place, offset in places.items()])
        until = time.monotonic() + seconds
        while (missing := len(places) - len(found)) and time.monotonic() < until:
            for message in reader.consume(missing, timeout=0.05):
                if message.error() is None:
                    found.setdefault(_place(message), message.timestamp()[1] / 1000)
        reader.unassign()
        return found

    def close(self) -> None:
        """Let go of the connections; the next question opens new ones."""
        while self._members:
            self._members.popitem()[1].close()

    def _places(self) -> dict[str, list[Place]]:
        known = self._admin.list_topics(timeout=self._seconds).topics
        there = {group: topic for group, topic in self._groups.items() if topic in known}
        return {group: [(topic, number) for number in known[topic].partitions] for group, topic in there.items()}

    def _committed(self, group: str, places: Sequence[Place]) -> dict[Place, int]:
        """Asked as a member would: an admin client ends the process when the broker goes (librdkafka 4605)."""
        found = self._member(group).committed([TopicPartition(*place) for place in places], timeout=self._seconds)
        if failed := next((each.error for each in found if each.error), None):
            raise KafkaException(failed)
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def _member(self, group: str, more: Mapping[str, str | int | float | bool] = MappingProxyType({})) -> Consumer:
        if group not in self._members:
            reading = {"enable.auto.commit": False, "auto.offset.reset": "earliest", **more}
            self._members[group] = Consumer({**_quick(self._bootstrap), "group.id": group or "none", **reading})
        return self._members[group]

    def _bounds(self, places: Iterable[Place], spec: OffsetSpec) -> dict[Place, int]:
        wanted = {TopicPartition(*place): spec for place in places}
        if not wanted:
            return {}
        asked = self._admin.list_offsets(wanted, request_timeout=self._seconds)
        return {(each.topic, each.partition): future.result().offset for each, future in asked.items()}


def _place(message: Message) -> Place:
    return message.topic() or "", message.partition() or 0


class Backlog:
    """How many events are not finished yet, in all topics that stages read; none while nobody can tell."""

    def __init__(self, bootstrap: str, groups: Mapping[str, str] = GROUPS, seconds: float = 5.0) -> None:
        self._offsets = Offsets(bootstrap, groups, seconds)

    def __call__(self) -> int | None:
        """Offsets between what is committed and the ends of the logs. Blocks for some milliseconds."""
        try:
            groups = self._offsets.positions()
        except BrokerAway:
            return None
        finally:
            self._offsets.close()
        return total_lag(position for places in groups.values() for position in places.values())


def total_lag(positions: Iterable[Position]) -> int | None:
    """All events that are not finished; none where a partition holds events of which nobody ever finished one."""
    known = list(positions)
    if any(each.lag for each in known if each.committed is None):
        return None
    return sum(each.lag for each in known)


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
