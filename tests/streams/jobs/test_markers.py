"""Cancel and hold: one object each, and what follows from it."""

import pytest

from storage import keys
from storage.memory import MemoryStore
from streams import retention
from streams.events import ImageFound, SliceListed, Source
from streams.jobs import ending, ledger, markers
from streams.jobs.ledger import NoSuchJob
from streams.jobs.markers import Markers
from streams.jobs.records import Deleted
from streams.jobs.remembered import BELIEVED_SECONDS
from tests.streams.books import JOB, START, Time, done, label, listed, refuse, tick
from tests.streams.stand import archive, submit, tiff, tools


class Counting(MemoryStore):
    """Counts how often it is asked."""

    asked = 0

    def stat(self, key: str):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().stat(key)


def image(job: str = JOB, digest: str = "d" * 8) -> ImageFound:
    source = Source(key="uploads/u/p.zip", etag="e")
    return ImageFound(job=job, image=0, name="a.tif", source=source, model="nuclei", model_digest=digest)


def test_what_comes_late_to_a_job_that_has_ended_is_not_worked_on_but_a_replay_is() -> None:  # rules 4 and 6
    store = MemoryStore()
    listed(store, 1)
    refuse(store, 0)
    time = Time()
    against = Markers(store, time)
    assert against.standing(image()) is None
    ending.finish(store, JOB)
    time.now += BELIEVED_SECONDS
    assert against.standing(image()) == "ended"
    assert against.standing(image().model_copy(update={"round": 1})) is None
    assert against.standing(SliceListed(job=JOB, shard=0)) is None


def test_a_cancelled_job_is_over_at_once_and_what_had_no_outcome_is_cancelled() -> None:  # rule 5
    store = MemoryStore()
    listed(store, 10)
    label(store, 0, 1, 2)
    refuse(store, 3)
    tick(store, 0, 1, 2)
    tick(store, 3, labelled=False)
    markers.cancel(store, JOB, Time(START + 90))
    state = ledger.state(store, JOB)
    assert (state.state, state.labelled, state.rejected, state.cancelled, state.in_flight) == ("done", 3, 1, 6, 0)
    assert state.seconds == 90


def test_a_label_already_under_way_still_counts_in_a_cancelled_job() -> None:  # rules 2 and 5
    store = MemoryStore()
    listed(store, 2)
    markers.cancel(store, JOB)
    label(store, 0)
    tick(store, 0)
    state = ledger.state(store, JOB)
    assert (state.labelled, state.cancelled) == (1, 1)


def test_a_job_cancelled_before_it_was_listed_counts_as_one_image() -> None:  # rule 5
    store = MemoryStore()
    listed(store, 2)
    store.delete([keys.manifest_index(JOB)])
    markers.cancel(store, JOB)
    state = ledger.state(store, JOB)
    assert (state.state, state.images, state.cancelled) == ("done", 1, 1)


def test_a_finished_job_is_not_cancelled() -> None:
    store = MemoryStore()
    listed(store, 1)
    label(store, 0)
    ending.finish(store, JOB)
    markers.cancel(store, JOB)
    assert not markers.is_cancelled(store, JOB)
    assert done(store).cancelled == 0


def test_only_a_job_can_be_cancelled() -> None:
    with pytest.raises(NoSuchJob, match="no job ghost"):
        markers.cancel(MemoryStore(), "ghost")


def test_stages_learn_of_a_cancellation_within_five_seconds_and_ask_no_more_often() -> None:  # rule 5
    store, time = Counting(), Time()
    listed(store, 2)
    found = Markers(store, time)
    assert found.standing(image()) is None
    markers.cancel(store, JOB)
    asked = store.asked
    assert found.standing(image()) is None
    assert store.asked == asked
    time.now += BELIEVED_SECONDS
    assert found.standing(image()) == "cancelled"


def test_a_held_job_or_model_stops_its_images_and_nothing_else() -> None:  # rule 5
    store, time = MemoryStore(), Time()
    found = Markers(store, time)
    markers.hold(store, JOB, "the budget is spent")
    assert found.standing(image()) == "held"
    assert found.standing(SliceListed(job=JOB, shard=0)) == "held"
    assert found.standing(image("b2")) is None
    markers.release(store, JOB)
    markers.hold(store, "model/bad", "it fails on everything")
    time.now += BELIEVED_SECONDS
    assert found.standing(image()) is None
    assert found.standing(image(digest="bad")) == "held"


def test_what_is_held_says_why_until_it_is_released() -> None:  # rule 5
    store = MemoryStore()
    listed(store, 1)
    listed(store, 1, "b2", model_digest="bad")
    markers.hold(store, JOB, "the budget is spent", Time(5.0))
    markers.hold(store, "model/bad", "it fails on everything")
    assert (JOB, 5.0) in {(marker.what, marker.created) for marker in markers.held(store)}
    assert ledger.state(store, JOB).held == "the budget is spent"
    assert ledger.state(store, "b2").held == "it fails on everything"
    markers.release(store, JOB)
    assert [marker.what for marker in markers.held(store)] == ["model/bad"]
    assert ledger.state(store, JOB).held == ""


def test_releasing_what_is_not_held_changes_nothing() -> None:
    store = MemoryStore()
    markers.release(store, JOB)
    assert not list(store.list(keys.HELD))


def test_a_job_called_model_is_no_model() -> None:
    store = MemoryStore()
    markers.hold(store, "model", "why not")
    markers.hold(store, "model/d", "it fails")
    assert {marker.what for marker in markers.held(store)} == {"model", "model/d"}


def test_late_events_of_a_deleted_job_are_passed_over() -> None:  # rule 7
    store = MemoryStore()
    ledger.write(store, keys.deleted(JOB), Deleted(job=JOB, object="o", etag="e", deleted=1.0))
    assert Markers(store).standing(image()) == "deleted"


def test_many_jobs_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markers, "KEPT", 3)
    store = Counting()
    found = Markers(store, Time())
    for number in range(10):
        found.standing(image(f"j{number}"))
    asked = store.asked
    found.standing(image("j9"))
    assert store.asked == asked
    found.standing(image("j0"))
    assert store.asked > asked


def test_what_lies_among_the_markers_and_is_none_stands_in_nobodys_way() -> None:  # rule 5
    given = tools()
    given.store.put("held/job/notes", b"ask Ann")
    markers.hold(given.store, "another", "the budget is spent")
    submit(given, archive({"a.tif": tiff()}))
    assert [ledger.state(given.store, job.job).labelled for job in ledger.jobs(given.store)] == [1]
    assert [marker.what for marker in markers.held(given.store)] == ["another"]
    retention.sweep(given.store)
