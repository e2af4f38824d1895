"""`loadgen verify` as it is called: what it says, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk.local.state import State
from loadgen import settings
from loadgen.bucket import BucketAway, S3Bucket
from loadgen.cli import app
from loadgen.topics import KafkaTopics, TopicsAway
from loadgen.verify import screen
from streams.events import ImageEnded
from tests.loadgen.stand import Scene

NOBODY = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAFKA", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "BUCKET"):
        monkeypatch.delenv(f"MONOLAYER_{name}", raising=False)
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path))


def test_where_nothing_runs_one_sentence_says_so_and_the_code_is_2() -> None:
    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 2
    assert "monolayer up" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_bucket_that_is_away_is_one_sentence_and_the_code_is_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLAYER_KAFKA", NOBODY)
    monkeypatch.setenv("MONOLAYER_S3_ENDPOINT", f"http://{NOBODY}")
    monkeypatch.setenv("MONOLAYER_S3_ACCESS_KEY", "key")
    monkeypatch.setenv("MONOLAYER_S3_SECRET_KEY", "secret")
    result = CliRunner().invoke(app, ["verify", "--no-topics"])
    assert result.exit_code == 2
    assert f"the bucket 'monolayer' at http://{NOBODY} can't be read" in result.stderr


def test_the_running_system_is_found_by_its_state_folder(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.make()
    state.write_status({"addresses": {"api": "", "kafka": "k:1", "s3": "http://s:2", "triton": "t:3"}})
    found = settings.find()
    assert (found.kafka, found.s3_endpoint, found.bucket) == ("k:1", "http://s:2", "monolayer")
    assert found.s3_access_key == state.keys().access


def test_variables_come_before_the_running_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(tmp_path)
    state.make()
    state.write_status({"addresses": {"api": "", "kafka": "k:1", "s3": "http://s:2", "triton": "t:3"}})
    monkeypatch.setenv("MONOLAYER_KAFKA", "other:9")
    assert (settings.find().kafka, settings.find().s3_endpoint) == ("other:9", "http://s:2")


def test_the_report_names_jobs_kinds_and_images(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.announce(ImageEnded(job=scene.job, image=0, outcome="rejected", reason="timeout"))
    screen.show(scene.audit(settled=True), as_json=False)
    told = capsys.readouterr().out
    assert f"{scene.job}\tdone\t4\t3\t1\t0\t0\t1" in told
    assert "announced_without_object: 1" in told
    assert f"image 0 of job {scene.job} was announced as rejected in round 0" in told
    assert told.splitlines()[-1] == "1 job, 4 images, 5 outcome events (0 said again what was known): 1 anomaly."


def test_json_is_one_object_on_the_last_line(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    screen.show(scene.audit(settled=True), as_json=True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"jobs", "images", "labelled", "rejected", "cancelled", "in_flight", "lost", "duplicated"} <= told.keys()
    assert {"anomalies", "by_class", "examples"} <= told.keys()


def test_servers_that_are_away_are_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.topics.SECONDS", 0.5)
    with pytest.raises(TopicsAway, match=f"Kafka at {NOBODY} can't be read"):
        list(KafkaTopics(NOBODY).read("outcomes"))
    with pytest.raises(BucketAway, match="can't be read"):
        S3Bucket(f"http://{NOBODY}", "k", "s", "monolayer").get("x")
