"""The backlog exporter as it runs, against a broker of its own that is killed at the end."""

import os
import signal
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from kiosk.local.stack import Local
from streams.topics import GROUPS
from tests.scraped import Told, serving
from tests.servers import running

pytestmark = pytest.mark.integration
PERIOD = 2.0


def written(kafka: str, topic: str, events: dict[int, int]) -> None:
    """Write so many events to each partition."""
    producer = Producer({"bootstrap.servers": kafka})
    for partition, count in events.items():
        for _ in range(count):
            producer.produce(topic, b"event", partition=partition)
    assert producer.flush(60) == 0


def committed(kafka: str, group: str, offsets: dict[int, int]) -> None:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group, "enable.auto.commit": False})
    places = [TopicPartition(GROUPS[group], partition, offset) for partition, offset in offsets.items()]
    consumer.commit(offsets=places, asynchronous=False)
    consumer.close()


def pid(local: Local) -> int:
    [process] = [each for each in local.status()["processes"] if each["name"] == "kafka"]
    return int(process["pid"])


def test_known_lags_are_right_to_the_event_and_unknown_within_a_period_after_the_broker_is_killed(
    tmp_path: Path,
) -> None:
    with running(tmp_path, "kafka") as local:
        kafka = local.status()["addresses"]["kafka"]
        written(kafka, "images.bulk", {0: 1000, 3: 17, 7: 5})
        committed(kafka, "tile.bulk", {0: 400, 3: 17})
        written(kafka, "images.interactive", {1: 3})
        committed(kafka, "tile.interactive", {1: 3})
        written(kafka, "uploads", {0: 2, 2: 4})  # and nobody ever read them
        with serving("streams.backlog", MONOLAYER_KAFKA=kafka) as scrape:
            _is_right(scrape.until(lambda told: ("oldest_event_seconds", "tile", "bulk") in told))
            written(kafka, "images.bulk", {7: 10})
            committed(kafka, "tile.bulk", {0: 460})
            told = scrape.until(lambda told: told.get(("service_events_per_second", "tile", "bulk"), 0) > 0)
            assert told["lag_events", "tile", "bulk"] == 555
            assert told["arrival_events_per_second", "tile", "bulk"] > 0
            assert told["backlog_seconds", "tile", "bulk"] > 0
            os.kill(pid(local), signal.SIGKILL)
            killed = last = time.monotonic()
            while (asked := time.monotonic()) and (told := scrape())["backlog_known", "tile", "bulk"]:
                last = asked
            _is_unknown(told)
            assert last - killed < PERIOD + 0.5, "half a second for a machine on which an answer waits to be read"
            told = scrape.until(lambda told: told["backlog_known", "tile", "bulk"] == 1)
            assert told["lag_events", "tile", "bulk"] == 555


def _is_right(told: Told) -> None:
    lags = {(stage, lane): lag for (name, stage, lane), lag in told.items() if name == "lag_events"}
    waiting = {("tile", "bulk"): 605, ("unzip", "all"): 6}
    assert lags == {tuple((*group.split("."), "all")[:2]): 0 for group in GROUPS} | waiting
    assert told["oldest_event_seconds", "tile", "interactive"] == 0
    for place in waiting:
        assert 0 < told["oldest_event_seconds", *place] < 60


def _is_unknown(told: Told) -> None:
    numbers = {name for name, _, _ in told}
    assert numbers == {"backlog_known"}, "neither zero nor the last value"
    assert set(told.values()) == {0.0}
