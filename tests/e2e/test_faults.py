"""The system loses a part in the middle of a job, and the job ends as if nothing had happened."""

import time
from pathlib import Path

import pytest

from tests.e2e.system import System, until
from tests.e2e.test_main_job import objects, write_fields, zipped

pytestmark = pytest.mark.e2e
IMAGES = 40


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    return zipped(write_fields(folder / "fields", IMAGES, side=512), folder / "plate.zip")


@pytest.fixture(scope="module")
def undisturbed(system: System, archive: Path) -> dict[str, str]:
    return stored_labels(system, system.submit(archive)["job"])


def stored_labels(system: System, job: str) -> dict[str, str]:
    """Image and etag of every label object."""
    client, bucket = objects(system)
    prefix = f"jobs/{job}/labels/"
    listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {entry["Key"].removeprefix(prefix): entry["ETag"] for entry in listed}


def begin(system: System, archive: Path, tmp_path: Path) -> str:
    """Submit the same images as another job, and wait until the first labels are there."""
    again = tmp_path / "again.zip"
    again.write_bytes(archive.read_bytes())
    import json

    job: str = json.loads(system.run("submit", again, "--json").splitlines()[-1])["job"]
    until(lambda: system.job(job)["labelled"] > 2)
    return job


def ended(system: System, job: str) -> dict[str, str]:
    state = until(lambda: (state := system.job(job))["state"] == "done" and state, seconds=120)
    assert (state["labelled"], state["rejected"]) == (IMAGES, 0)
    return stored_labels(system, job)


def test_a_stage_killed_three_times_loses_nothing_and_changes_no_byte(
    system: System, archive: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    job = begin(system, archive, tmp_path)
    for _ in range(3):
        killed = system.pid("stage-segment")
        system.kill("stage-segment")
        until(lambda killed=killed: system.pid("stage-segment") not in (None, killed))
        time.sleep(1)  # somewhere in its start, or in the middle of work
    assert ended(system, job) == undisturbed


def test_a_broker_killed_in_mid_job_loses_nothing_and_changes_no_byte(
    system: System, archive: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    job = begin(system, archive, tmp_path)
    system.kill("kafka")
    assert ended(system, job) == undisturbed


@pytest.mark.parametrize("part", ["triton", "s3", "stage-collect", "stage-unzip", "api"])
def test_any_other_part_killed_in_mid_job_loses_nothing(
    system: System, archive: Path, undisturbed: dict[str, str], tmp_path: Path, part: str
) -> None:
    job = begin(system, archive, tmp_path)
    system.kill(part)
    until(lambda: system.status()["ready"])
    assert ended(system, job) == undisturbed


def test_everything_stopped_in_mid_job_stops_in_12_s_and_goes_on_after_up(
    system: System, archive: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    job = begin(system, archive, tmp_path)
    begun = time.monotonic()
    system.run("down")
    assert time.monotonic() - begun < 12
    assert not any(process["pid"] for process in system.status()["processes"] if process["state"] == "ready")
    system.up()
    assert ended(system, job) == undisturbed


def test_up_twice_says_so(system: System) -> None:
    assert "already running" in system.up().lower()
