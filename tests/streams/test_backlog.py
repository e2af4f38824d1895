"""How much is waiting or in work, as the broker tells."""

import uuid

import pytest

from streams import stages
from streams.kafka import GROUPS, READERS, Backlog, total_lag
from streams.stages import STAGES

ONE, TWO = ("images.bulk", 0), ("images.bulk", 1)


def test_every_stage_reads_the_topic_its_group_is_counted_for() -> None:
    assert {stage.takes: name for name, stage in STAGES.items()} == READERS
    assert set(GROUPS.values()) == {
        stages.topic(stage, lane) for stage in STAGES.values() for lane in stages.lanes(stage)
    }


def test_what_is_not_finished_is_counted_over_all_partitions() -> None:
    assert total_lag({ONE: 3, TWO: 10}, {}, {ONE: 5, TWO: 10}) == 2


def test_an_empty_partition_that_nobody_ever_read_is_empty() -> None:
    assert total_lag({ONE: 5}, {TWO: 7}, {ONE: 5, TWO: 7}) == 0


def test_events_of_which_nobody_ever_finished_one_make_the_backlog_unknown() -> None:
    assert total_lag({ONE: 5}, {TWO: 0}, {ONE: 5, TWO: 1}) is None


def test_a_broker_that_is_away_makes_the_backlog_unknown() -> None:
    assert Backlog("127.0.0.1:9", seconds=0.2)() is None


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
