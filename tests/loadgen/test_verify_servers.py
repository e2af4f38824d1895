"""The audit on a real bucket and real topics, as the command does it."""

import json
import uuid
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from loadgen.bucket import S3Bucket
from loadgen.cli import app
from loadgen.topics import KafkaTopics
from storage import keys
from storage.s3 import S3Store
from tests.loadgen.stand import World
from tests.servers import S3Server

pytestmark = pytest.mark.integration


def announce(address: str, *records: tuple[str, bytes]) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    for topic, value in records:
        producer.produce(topic, value)
    assert producer.flush(20) == 0


def verify(server: S3Server, kafka: str, bucket: str, *options: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["verify", *options, "--json"], env=server.variables(kafka, bucket))
    assert result.exit_code in (0, 1), result.output
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def store(s3_server: S3Server) -> S3Store:
    name = f"verify-{uuid.uuid4().hex}"
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, name)
    store.create_bucket()
    return store


def test_the_command_finds_what_is_planted_on_real_servers(
    s3_server: S3Server, kafka_address: str, store: S3Store, untouched: World
) -> None:
    job = f"{uuid.uuid4().hex}"
    known = next(event.job for event in untouched.events if event.job)
    for key, data in untouched.objects.items():
        named = data if key.endswith(".tif") else data.replace(known.encode(), job.encode())
        store.put(key.replace(known, job), named)
    outcomes = [event for event in untouched.events if event.topic == "outcomes"]
    announce(kafka_address, *(("outcomes", event.model_copy(update={"job": job}).encode()) for event in outcomes))

    code, told = verify(s3_server, kafka_address, store.bucket, job, "--settled")
    assert (code, told["anomalies"], told["labelled"], told["events"]) == (0, 0, 3, 4), told["examples"]
    assert not any("not compared" in note for note in told["notes"])

    store.delete([keys.labels(job, 0)])
    code, told = verify(s3_server, kafka_address, store.bucket, job, "--settled")
    assert code == 1
    assert (told["lost"], told["by_class"]["announced_without_object"]) == (1, 1)


def test_a_part_of_an_object_is_only_that_of_its_etag(s3_server: S3Server, store: S3Store) -> None:  # rule 9
    bucket = S3Bucket(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, store.bucket)
    etag = store.put("inbox/nuclei/plate.zip", b"0123456789")
    assert bucket.size("inbox/nuclei/plate.zip", etag) == 10
    assert bucket.part("inbox/nuclei/plate.zip", 3, 4, etag) == b"3456"
    assert bucket.part("inbox/nuclei/plate.zip", 3, 0, etag) == b""
    store.put("inbox/nuclei/plate.zip", b"another")
    assert bucket.size("inbox/nuclei/plate.zip", etag) is None
    assert bucket.part("inbox/nuclei/plate.zip", 3, 4, etag) is None
    assert bucket.size("inbox/nuclei/none.zip", etag) is None


def test_a_topic_is_read_to_its_end_and_then_from_there(kafka_address: str) -> None:
    topic = "uploads"
    with KafkaTopics(kafka_address) as topics, KafkaTopics(kafka_address) as again:
        before = len(list(topics.read(topic)))
        announce(kafka_address, (topic, b"one"), (topic, b"two"))
        assert {record.value for record in topics.read(topic)} == {b"one", b"two"}
        assert not list(topics.read(topic))
        assert len(list(again.read(topic))) == before + 2
        assert not again.forgotten(topic)
        assert again.committed(topic, "nobody") == dict.fromkeys(range(4), 0)
