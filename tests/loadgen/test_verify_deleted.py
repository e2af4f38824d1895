"""Of a deleted job nothing is left, once whoever deletes had the time for it."""

import time

import pytest

from loadgen.verify.anomalies import Kind
from storage import keys
from storage.memory import MemoryStore
from streams.retention import Keeping, sweep
from tests.loadgen.stand import Scene

HOUR = 3600.0


def delete(scene: Scene, ago: float, **fields: object) -> None:
    """As if the job had been deleted so many seconds ago, in words only."""
    marker = {"job": scene.job, "object": "uploads/u1/plate.zip", "etag": "e", "deleted": time.time() - ago}
    scene.write(keys.deleted(scene.job), marker | fields)


@pytest.mark.parametrize("settled", [True, False])
def test_a_job_that_is_still_there_hours_after_its_deletion_is_left_over(scene: Scene, settled: bool) -> None:  # rule 7
    delete(scene, 0)
    assert scene.found(settled, now=time.time() + 5 * HOUR) == set()
    report = scene.audit(settled, now=time.time() + 7 * HOUR)
    assert set(report.findings.by_class) == {Kind.LEFTOVER}
    assert any("was deleted, and" in each.sentence for each in report.findings.examples)


def test_a_deletion_that_stopped_in_the_middle_is_seen(scene: Scene) -> None:  # rule 7
    scene.store.delete([scene.key("job.json"), keys.labels(scene.job, 1), *(s.key for s in scene.store.list("tally/"))])
    delete(scene, 12 * HOUR)
    [anomaly] = scene.audit(settled=True).findings.examples
    assert (anomaly.kind, anomaly.job) == (Kind.LEFTOVER, scene.job)
    assert "jobs/" in anomaly.sentence


def test_a_label_that_lands_long_after_the_deletion_may_lie_until_it_is_swept(scene: Scene) -> None:  # rule 7
    label = scene.store.get(keys.labels(scene.job, 0))
    scene.store.delete([stat.key for stat in scene.store.list("") if scene.job in stat.key])
    delete(scene, 12 * HOUR)
    scene.store.put(keys.labels(scene.job, 0), label)
    assert scene.found(settled=False) == set()
    assert scene.found(settled=False, now=time.time() + 7 * HOUR) == {Kind.LEFTOVER}


def test_a_marker_that_can_not_be_read_is_as_old_as_its_object(scene: Scene) -> None:
    scene.store.put(keys.deleted(scene.job), b"junk")
    assert Kind.LEFTOVER not in scene.found(settled=False)
    assert Kind.LEFTOVER in scene.found(settled=False, now=time.time() + 7 * HOUR)


def test_a_tally_of_a_deleted_job_goes_within_two_days(scene: Scene) -> None:  # rule 7
    tally = [stat.key for stat in scene.store.list("tally/")]
    scene.store.delete([stat.key for stat in scene.store.list("") if scene.job in stat.key and stat.key not in tally])
    delete(scene, 0)
    assert scene.found(settled=False, now=time.time() + 7 * HOUR) == set()
    assert scene.found(settled=False, now=time.time() + 49 * HOUR) == {Kind.LEFTOVER}


def test_what_retention_deletes_is_gone(scene: Scene) -> None:  # rule 7
    later = time.time() + 2 * 24 * HOUR
    assert isinstance(scene.store, MemoryStore)
    assert sweep(scene.store, Keeping(results_days=1), now=lambda: later).jobs == 1
    assert scene.found(settled=False, now=later + 3 * 24 * HOUR) == set()
