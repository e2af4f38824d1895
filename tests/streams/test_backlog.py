"""How much is waiting or in work, as the broker tells."""

import uuid
from collections.abc import Mapping

import pytest

from observability import metrics
from streams.backlog import Exporter, _labels
from streams.kafka import Backlog, BrokerAway, Place, Position, total_lag
from streams.topics import GROUPS
from tests.scraped import absent, number
from tests.streams.books import Time

ONE, TWO = ("images.bulk", 0), ("images.bulk", 1)


def test_every_stage_reads_the_topic_its_group_is_counted_for() -> None:
    assert GROUPS == {
        "unzip": "uploads",
        "announce": "slices",
        "tile.interactive": "images.interactive",
        "tile.bulk": "images.bulk",
        "predict.interactive": "tiles.interactive",
        "predict.bulk": "tiles.bulk",
        "postprocess.interactive": "predictions.interactive",
        "postprocess.bulk": "predictions.bulk",
        "collect": "outcomes",
    }


def test_what_is_not_finished_is_counted_over_all_partitions() -> None:
    assert total_lag([Position(0, 5, 3), Position(0, 10, 10)]) == 2


def test_an_empty_partition_that_nobody_ever_read_is_empty() -> None:
    assert total_lag([Position(0, 5, 5), Position(7, 7, None)]) == 0


def test_events_of_which_nobody_ever_finished_one_make_the_backlog_unknown() -> None:
    assert total_lag([Position(0, 5, 5), Position(0, 1, None)]) is None


def test_events_that_are_gone_from_the_log_wait_no_more() -> None:
    assert total_lag([Position(4, 6, 1)]) == 2


def test_a_broker_that_is_away_makes_the_backlog_unknown() -> None:
    assert Backlog("127.0.0.1:9", seconds=0.2)() is None


class Broker:
    """Tells what it is given; none: it is away."""

    def __init__(self, groups: dict[str, dict[Place, Position]]) -> None:
        self.groups: dict[str, dict[Place, Position]] | None = groups
        self.times: dict[tuple[Place, int], float] = {}
        self.asked: list[Mapping[Place, int]] = []

    def positions(self) -> dict[str, dict[Place, Position]]:
        if self.groups is None:
            raise BrokerAway("away")
        return self.groups

    def written(self, places: Mapping[Place, int], seconds: float) -> dict[Place, float]:
        self.asked.append(places)
        return {place: self.times[place, at] for place, at in places.items() if (place, at) in self.times}


BACKLOG = (metrics.LAG, metrics.ARRIVAL, metrics.SERVICE, metrics.BACKLOG_SECONDS, metrics.OLDEST, metrics.KNOWN)
BULK = {"stage": "tile", "lane": "bulk"}


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Time:
    for metric in BACKLOG:
        monkeypatch.setattr(metric, "_sources", [])
    return Time(1000.0)


def looking(broker: Broker, moment: Time) -> Exporter:
    exporter = Exporter(broker, 2.0, moment, moment)
    exporter.tell()
    exporter.look()
    return exporter


def test_each_group_is_told_by_its_stage_and_lane(moment: Time) -> None:
    looking(Broker({"tile.bulk": {ONE: Position(0, 9, 5)}, "unzip": {("uploads", 0): Position(0, 3, None)}}), moment)
    assert number("monolayer_lag_events", **BULK) == 4
    assert number("monolayer_lag_events", stage="unzip", lane="all") == 3
    assert number("monolayer_backlog_known", **BULK) == 1


def test_a_group_whose_topic_is_not_there_is_unknown_beside_known_ones(moment: Time) -> None:
    looking(Broker({"tile.bulk": {ONE: Position(0, 9, 5)}}), moment)
    assert number("monolayer_backlog_known", stage="collect", lane="all") == 0
    assert absent("monolayer_lag_events", stage="collect", lane="all")


def test_while_the_broker_is_away_there_is_no_number_at_all(moment: Time) -> None:
    broker = Broker({"tile.bulk": {ONE: Position(0, 9, 5)}})
    exporter = looking(broker, moment)
    broker.groups = None
    exporter.look()
    for metric in BACKLOG[:-1]:
        assert [sample for family in metric.collect() for sample in family.samples] == []
    [known] = metrics.KNOWN.collect()
    assert {sample.value for sample in known.samples} == {0.0}
    assert {(sample.labels["stage"], sample.labels["lane"]) for sample in known.samples} >= {("tile", "bulk")}


def test_a_reading_is_believed_for_one_period_whatever_holds_up_the_next(moment: Time) -> None:
    looking(Broker({"tile.bulk": {ONE: Position(0, 9, 5)}}), moment)
    moment.now += 1.9
    assert number("monolayer_lag_events", **BULK) == 4
    moment.now += 0.2
    assert absent("monolayer_lag_events", **BULK)
    assert number("monolayer_backlog_known", **BULK) == 0


def test_the_age_is_that_of_the_oldest_event_that_is_not_committed(moment: Time) -> None:
    broker = Broker({"tile.bulk": {ONE: Position(0, 9, 5), TWO: Position(3, 9, None)}})
    broker.times = {(ONE, 5): 990.0, (TWO, 3): 960.0}
    exporter = looking(broker, moment)
    assert number("monolayer_oldest_event_seconds", **BULK) == 40.0
    moment.now += 1
    broker.groups = {"tile.bulk": {ONE: Position(0, 9, 5), TWO: Position(3, 9, 9)}}
    exporter.look()
    assert number("monolayer_oldest_event_seconds", **BULK) == 11.0
    assert len(broker.asked) == 1, "what stands where it stood is not read again"


def test_an_age_that_can_not_be_read_is_absent_and_one_of_nothing_is_zero(moment: Time) -> None:
    broker = Broker({"tile.bulk": {ONE: Position(0, 9, 5), TWO: Position(0, 9, 5)}, "unzip": {}})
    broker.times = {(ONE, 5): 990.0}
    looking(broker, moment)
    assert absent("monolayer_oldest_event_seconds", **BULK)
    assert number("monolayer_lag_events", **BULK) == 8
    assert not absent("monolayer_oldest_event_seconds", stage="unzip", lane="all")


def test_what_groups_are_called_are_labels_that_there_may_be() -> None:
    assert {_labels(group)[0] for group in GROUPS} == set(metrics.STAGE.values)
    assert {_labels(group)[1] for group in GROUPS} == set(metrics.LANE.values)


@pytest.mark.integration
def test_the_real_broker_tells_what_waits(kafka_address: str) -> None:
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    topic = f"backlog-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_address})
    for future in admin.create_topics([NewTopic(topic, 2, 1)]).values():
        future.result(30)
    backlog = Backlog(kafka_address, {topic: topic}, seconds=30)
    assert next(known for _ in range(20) if (known := backlog()) is not None) == 0  # its first group takes a while
    producer = Producer({"bootstrap.servers": kafka_address})
    for _ in range(3):
        producer.produce(topic, b"event", partition=1)
    assert producer.flush(60) == 0
    assert backlog() is None
    consumer = Consumer({"bootstrap.servers": kafka_address, "group.id": topic, "enable.auto.commit": False})
    for offset, lag in ((1, 2), (3, 0)):
        consumer.commit(offsets=[TopicPartition(topic, 1, offset)], asynchronous=False)
        assert backlog() == lag
    consumer.close()
