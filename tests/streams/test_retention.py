"""What is removed, and what never is."""

import time
from types import SimpleNamespace
from typing import cast

import pytest

from storage import keys
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams import intake, topics, unzip
from streams.events import LONGEST_DEADLINE, Event, Lane, UploadReceived
from streams.inbox import Inbox
from streams.jobs import ending, ledger, markers
from streams.jobs.records import Deleted
from streams.jobs.tally import LABELLED, Tally
from streams.kafka import Announcer
from streams.retention import DAY, MARKER_DAYS, Keeping, sweep
from streams.rounds import replay
from tests.streams.books import JOB, Time, accepted, count, label, listed, refuse
from tests.streams.stand import run, tools

NOW = time.time()
YEAR = Keeping(results_days=365)


def finished(store: MemoryStore, job: str = JOB, images: int = 3) -> None:
    """A job with labels, a rejection, a tally and some scratch, done now."""
    listed(store, images, job, created=NOW)
    label(store, *range(1, images), job=job)
    refuse(store, 0, job=job)
    count(store, job)
    store.put(f"{keys.scratch(job, 0)}p/maps/00000", b"maps")
    ending.finish(store, job)


def there(store: MemoryStore, prefix: str) -> list[str]:
    return [stat.key for stat in store.list(prefix)]


def later(days: float) -> Time:
    return Time(NOW + days * DAY)


def test_the_longest_deadline_is_over_before_topics_forget_and_topics_forget_before_offsets() -> None:  # rule 7
    retention = topics.RETENTION_MS / 1000
    assert LONGEST_DEADLINE < retention < 30 * DAY < MARKER_DAYS * DAY


def test_results_are_kept_for_ever_unless_somebody_says_otherwise() -> None:
    store = MemoryStore()
    finished(store)
    assert sweep(store, now=later(5000)).jobs == 0
    assert ledger.state(store, JOB).state == "done"


def test_a_job_older_than_its_results_may_be_goes_as_a_whole_with_its_upload() -> None:  # rule 7
    store = MemoryStore()
    finished(store)
    assert sweep(store, YEAR, later(364)).jobs == 0
    assert sweep(store, YEAR, later(366)).jobs == 1
    assert there(store, "") == [keys.deleted(JOB)]


def test_a_job_that_is_replayed_is_in_use() -> None:  # rule 7
    store = MemoryStore()
    finished(store)
    replay(store, JOB, now=later(365))
    store.delete([keys.open_job(JOB)])  # even if nobody looks after it
    assert sweep(store, YEAR, later(400)).jobs == 0
    assert ledger.exists(store, keys.labels(JOB, 1))


def test_a_job_that_runs_is_in_use_however_old() -> None:  # rule 7
    store = MemoryStore()
    listed(store, 2)
    label(store, 0)
    assert sweep(store, YEAR, later(9999)).jobs == 0
    assert ledger.exists(store, keys.labels(JOB, 0))


def test_an_upload_that_another_job_uses_stays() -> None:
    store = MemoryStore()
    finished(store)
    other = listed(store, 1, "b2").model_copy(update={"object": ledger.read_job(store, JOB).object})
    ledger.write(store, keys.job("b2"), other)
    sweep(store, YEAR, later(366))
    assert ledger.exists(store, other.object)
    assert not ledger.exists(store, keys.job(JOB))


def test_a_deletion_that_was_interrupted_goes_on() -> None:  # rule 7
    class Fragile(MemoryStore):
        deletions = 0

        def delete(self, doomed) -> None:  # type: ignore[no-untyped-def]
            self.deletions += 1
            if self.deletions == 3:
                raise Unavailable("away")
            super().delete(doomed)

    store = Fragile()
    finished(store)
    store.deletions = 0
    with pytest.raises(Unavailable):
        sweep(store, Keeping(results_days=0.5), later(0.6))
    assert there(store, "") != [keys.deleted(JOB)]
    sweep(store, Keeping(results_days=0.5), later(0.6))
    assert there(store, "") == [keys.deleted(JOB)]


def test_a_label_that_lands_in_a_deleted_job_goes_too() -> None:
    store = MemoryStore()
    finished(store)
    sweep(store, YEAR, later(366))
    label(store, 2)
    sweep(store, YEAR, later(367))
    assert there(store, "") == [keys.deleted(JOB)]


def test_what_stood_between_processes_goes_with_its_job_and_its_tallies_become_one() -> None:
    store = MemoryStore()
    finished(store)
    for image in range(4):
        tally = Tally()
        tally.mark(image, LABELLED)
        store.put(keys.tally(JOB, f"owner{image}"), tally.encode())
    before = ledger.state(store, JOB)
    assert sweep(store, now=Time(NOW + 60)).scratch == 0
    swept = sweep(store, now=Time(NOW + 7200))
    assert swept.scratch == 1
    assert there(store, keys.TALLY) == [keys.tally(JOB, "all")]
    assert ledger.state(store, JOB) == before
    assert ledger.tallied(store, JOB).counts() == (2, 1)
    assert sweep(store, now=Time(NOW + 7200)).leftovers == 0


def test_scratch_of_a_running_job_stays() -> None:
    store = MemoryStore()
    listed(store, 2)
    store.put(f"{keys.scratch(JOB, 0)}p/maps/00000", b"maps")
    assert sweep(store, now=later(5)).scratch == 0


def test_what_speaks_of_a_job_that_never_was_goes_after_a_day() -> None:
    store = MemoryStore()
    ghostly = [
        keys.tally("ghost", "o"),
        f"{keys.scratch('ghost', 0)}p/x",
        keys.open_job("ghost"),
        keys.labels("ghost", 1),
    ]
    for key in ghostly:
        store.put(key, b"{}")
    sweep(store, now=later(0.9))
    assert there(store, "") == sorted(ghostly)
    swept = sweep(store, now=later(1.1))
    assert there(store, "") == []
    assert (swept.scratch, swept.leftovers) == (1, 3)


def test_an_upload_that_never_became_a_job_goes_after_a_week() -> None:
    store = MemoryStore()
    store.put("uploads/x/lonely.zip", b"zip")
    accepted(store, created=NOW)
    assert sweep(store, now=later(6.9)).uploads == 0
    assert sweep(store, now=later(7.1)).uploads == 1
    assert there(store, keys.UPLOADS) == [ledger.read_job(store, JOB).object]


def test_what_others_keep_in_the_bucket_is_no_tenants_leftover() -> None:
    store = MemoryStore()
    theirs = ["backups/jobs/nightly/dump.sql", "website/uploads/2026/logo.png"]
    for key in (*theirs, f"a/jobs/a_{'0' * 20}/labels/00000/000.tif", f"a/uploads/{'0' * 32}/lonely.zip"):
        store.put(key, b"bytes")
    sweep(store, now=later(5000))
    assert there(store, "") == theirs


def test_nothing_under_the_inbox_is_ever_removed() -> None:
    store = MemoryStore()
    store.put("inbox/nuclei/plate.zip", b"zip")
    sweep(store, YEAR, later(5000))
    assert there(store, "") == ["inbox/nuclei/plate.zip"]


def test_a_job_that_nobody_looks_after_is_looked_after_again() -> None:  # rule 4
    store = MemoryStore()
    accepted(store, created=NOW)
    store.delete([keys.open_job(JOB)])
    assert sweep(store, now=Time(NOW + 60)).reopened == 0
    assert sweep(store, now=Time(NOW + 7200)).reopened == 1
    assert ledger.exists(store, keys.open_job(JOB))


def test_the_upload_of_a_deleted_job_does_not_begin_it_anew() -> None:  # rules 7 and 8
    given = tools()
    given.store.put("inbox/nuclei/plate.zip", b"no archive")
    upload = UploadReceived(object="inbox/nuclei/plate.zip")
    job = intake.accept(given.store, upload, given.models)
    ledger.write_manifest(given.store, job.job, [], Lane.BULK)
    ending.finish(given.store, job.job)
    sweep(given.store, YEAR, later(366))
    with pytest.raises(intake.Gone, match="have been deleted"):
        intake.accept(given.store, upload, given.models)
    assert run(unzip.unzip(upload, given)) == []
    told: list[Event] = []
    inbox = Inbox(given.store, given.models, cast(Announcer, SimpleNamespace(announce=told.append)))
    inbox.look()
    assert told == []
    assert list(ledger.jobs(given.store)) == []


def test_a_deleted_jobs_marker_stays_while_its_upload_could_begin_it_anew() -> None:
    store = MemoryStore()
    etag = store.put("inbox/nuclei/plate.zip", b"zip")
    for job, obj in ((JOB, "inbox/nuclei/plate.zip"), ("b2", "uploads/b2/gone.zip")):
        ledger.write(store, keys.deleted(job), Deleted(job=job, object=obj, etag=etag, deleted=NOW))
    sweep(store, now=later(39))
    assert len(there(store, keys.DELETED)) == 2
    sweep(store, now=later(41))
    assert there(store, keys.DELETED) == [keys.deleted(JOB)]


def test_a_marker_of_what_was_released_goes_when_all_have_seen_it() -> None:
    store = MemoryStore()
    markers.hold(store, "model/m", "why", Time(NOW))
    sweep(store, now=later(30))
    assert [marker.what for marker in markers.held(store)] == ["model/m"]
    markers.release(store, "model/m", Time(NOW))
    sweep(store, now=later(0.9))
    assert len(there(store, keys.HELD)) == 1
    sweep(store, now=later(1.1))
    assert there(store, keys.HELD) == []
