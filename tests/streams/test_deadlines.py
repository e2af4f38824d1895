"""Every image ends within its deadline, whose clock stands still when nobody could have worked."""

from collections.abc import Callable

import pytest

from storage import keys
from storage.memory import MemoryStore
from streams import overdue, sweep
from streams.deadlines import RELEASE_SECONDS
from streams.events import ImageEnded, Lane, Source
from streams.jobs import ledger, markers
from streams.jobs.records import Entry
from streams.rounds import replay
from streams.sweep import SECONDS
from streams.unzip import whole
from tests.streams.books import JOB, START, Time, accepted, count, label, listed, refuse
from tests.streams.watch import HOUR, Watch, slice_of


@pytest.fixture
def watch() -> Watch:
    return Watch(MemoryStore())


def test_whatever_has_no_outcome_is_announced_again_once_at_half_the_deadline(watch: Watch) -> None:  # rule 4
    listed(watch.store, 3, deadline=2 * HOUR)
    events = [(minute, event) for minute in range(119) for event in watch.look()]
    assert events == [(60, slice_of())]


def test_at_the_deadline_images_are_rejected_as_timeout_and_a_label_that_came_just_then_wins() -> None:  # rules 2, 4
    class Late(MemoryStore):
        late = False

        def list(self, prefix: str):  # type: ignore[no-untyped-def]
            found = list(super().list(prefix))
            if self.late and prefix == keys.labels_prefix(JOB):
                label(self, 1)  # after the listing, before the rejection
            return iter(found)

    store = Late()
    watch = Watch(store)
    listed(store, 3, deadline=2 * HOUR)
    label(store, 0)
    count(store)
    watch.looks(120)
    store.late = True
    ends = [event for event in watch.look() if isinstance(event, ImageEnded)]
    assert {(end.image, end.outcome, end.reason) for end in ends} == {(1, "labelled", None), (2, "rejected", "timeout")}
    [story] = ledger.rejections(store, JOB)
    assert (story.name, story.reason, story.event["image"]) == ("2.tif", "timeout", 2)
    assert story.message == "2.tif was not finished within its deadline of 2 hours"
    assert not ledger.exists(store, keys.rejection(JOB, 1, 0))


def test_an_archive_that_is_never_listed_ends_as_one_rejected_image(watch: Watch) -> None:  # rule 4
    accepted(watch.store, deadline=HOUR)
    watch.looks(60)
    [end] = watch.look()
    assert isinstance(end, ImageEnded)
    assert (end.image, end.outcome, end.reason) == (0, "rejected", "timeout")
    state = ledger.state(watch.store, JOB)
    assert (state.images, next(ledger.rejections(watch.store, JOB)).name) == (1, "plate.zip")


def test_an_archive_whose_time_ends_while_it_is_listed_has_one_manifest(watch: Watch) -> None:  # rules 4 and 10
    job = accepted(watch.store, deadline=HOUR)
    entries = [
        Entry(image=image, name=f"{image}.tif", source=Source(key=job.object, etag=job.etag)) for image in (0, 1)
    ]
    ledger.write_manifest(watch.store, JOB, entries, Lane.BULK)
    assert overdue.time_out_listing(watch.store, job) == []
    assert [entry.name for entry in ledger.entries(watch.store, JOB)] == ["0.tif", "1.tif"]
    later, written = ledger.write_manifest(watch.store, JOB, entries[:1], Lane.BULK)
    assert later.images == 2 and not written


def test_an_archive_whose_time_ends_while_its_manifest_is_written_keeps_all_its_images() -> None:  # rules 4 and 10
    class Slow(MemoryStore):
        looks: Callable[[], object] | None = None

        def put(self, key: str, data: bytes, note: str = "") -> str:
            if key == keys.manifest_shard(JOB, 1) and self.looks:
                looks, self.looks = self.looks, None
                looks()
            return super().put(key, data, note)

    store = Slow()
    watch = Watch(store)
    job = accepted(store, deadline=HOUR)
    watch.looks(59)
    store.looks = lambda: watch.looks(3)
    images = [
        Entry(image=image, name=f"{image}.tif", source=Source(key=job.object, etag=job.etag, offset=image))
        for image in range(1500)
    ]
    ledger.write_manifest(store, JOB, images, Lane.BULK)
    assert [entry.image for entry in ledger.entries(store, JOB)] == list(range(1500))
    assert ledger.read_done(store, JOB) is None
    assert len([end for end in watch.look() if isinstance(end, ImageEnded)]) == 1500


def test_a_manifest_that_came_first_stays_although_another_was_nearly_written() -> None:  # rule 10
    class Late(MemoryStore):
        def put(self, key: str, data: bytes, note: str = "") -> str:
            etag = super().put(key, data, note)
            if key == keys.manifest_shard(JOB, 1):
                ledger.write_manifest(self, JOB, [whole(job)], Lane.INTERACTIVE)
            return etag

    store = Late()
    job = accepted(store)
    images = [whole(job).model_copy(update={"image": image}) for image in range(1500)]
    index, written = ledger.write_manifest(store, JOB, images, Lane.BULK)
    assert index.images == 1 and not written
    assert [entry.name for entry in ledger.entries(store, JOB)] == ["plate.zip"]


def test_an_outage_does_not_count_and_the_job_says_so(watch: Watch) -> None:  # rule 19
    listed(watch.store, 3, deadline=HOUR)
    watch.looks(10)
    watch.well = False
    assert watch.looks(600) == []
    assert "does not answer" in ledger.state(watch.store, JOB).waiting
    watch.well = True
    watch.look()
    assert watch.clock.counted == 10 * 60
    assert ledger.state(watch.store, JOB).waiting == ""


def test_time_in_which_nobody_looked_hardly_counts(watch: Watch) -> None:  # rule 19
    listed(watch.store, 3, deadline=HOUR)
    watch.look()
    assert watch.look(minutes=600) == []
    assert watch.clock.counted == 2 * SECONDS


def test_a_clock_that_is_set_back_takes_nothing_away(watch: Watch) -> None:
    listed(watch.store, 3)
    watch.looks(3)
    watch.look(minutes=-600)
    watch.look()
    assert watch.clock.counted == 3 * 60


def test_what_outlives_its_topics_is_announced_again_from_the_manifest(watch: Watch) -> None:  # rules 7 and 19
    listed(watch.store, 1, deadline=HOUR)
    watch.look()
    watch.well, watch.lag = False, None
    assert watch.look(minutes=8 * 24 * 60) == []  # a machine that was off for a week, and all events have expired
    watch.well, watch.lag = True, 0
    assert slice_of() in watch.looks(3)
    assert watch.clock.counted < HOUR / 2


@pytest.mark.parametrize("what", [JOB, "model/dddddddd"])
def test_a_held_jobs_clock_stands_still_and_its_images_are_announced_again_when_released(
    watch: Watch, what: str
) -> None:  # rule 5
    listed(watch.store, 3, deadline=HOUR)
    watch.looks(10)
    markers.hold(watch.store, what, "the budget is spent", watch.time)
    watch.lag = 0
    assert watch.looks(300) == []
    watch.lag = 5
    markers.release(watch.store, what, watch.time)
    watch.time.now += RELEASE_SECONDS - 60
    assert watch.looks(5) == [slice_of()]
    assert watch.clock.counted < 20 * 60


def test_even_a_short_hold_loses_nothing(watch: Watch) -> None:  # rule 5
    listed(watch.store, 3)
    watch.look()
    markers.hold(watch.store, JOB, "oops", watch.time)
    markers.release(watch.store, JOB, watch.time)
    assert watch.looks(3) == [slice_of()]


def test_a_release_before_a_job_began_means_nothing_to_it(watch: Watch) -> None:
    markers.hold(watch.store, "model/dddddddd", "it fails", Time(START - 50))
    markers.release(watch.store, "model/dddddddd", Time(START - 40))
    listed(watch.store, 3)
    assert watch.looks(3) == []


def test_a_job_that_came_just_after_a_release_is_announced_again(watch: Watch) -> None:  # rule 5
    markers.hold(watch.store, "model/dddddddd", "it fails", Time(START - 50))
    markers.release(watch.store, "model/dddddddd", Time(START - 2))
    listed(watch.store, 3)  # stages still believed the marker, and passed its images over
    assert watch.looks(3) == [slice_of()]


def test_a_replay_has_a_clock_of_its_own_and_older_rounds_keep_theirs(watch: Watch) -> None:  # rules 4 and 6
    listed(watch.store, 2, deadline=2 * HOUR)
    refuse(watch.store, 0)
    count(watch.store)
    watch.looks(50)
    replay(watch.store, JOB, now=watch.time)
    assert watch.looks(11) == [slice_of(0, round_=0)]
    assert (watch.clock.round, watch.clock.counted) == (1, 10 * 60)
    events = watch.looks(60)
    assert [(end.image, end.round) for end in events if isinstance(end, ImageEnded)] == [(1, 0)]
    assert [event for event in events if event.topic == "slices"] == [slice_of(0, round_=1)]
    count(watch.store)
    assert {(end.image, end.round) for end in watch.looks(50) if isinstance(end, ImageEnded)} == {(0, 1)}


def test_a_job_of_many_images_is_timed_out_some_at_a_time(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "MOST_AT_ONCE", 2)
    listed(watch.store, 5, deadline=60.0)
    watch.looks(2)
    ends = [len([event for event in watch.look() if isinstance(event, ImageEnded)]) for _ in range(2)]
    assert ends == [4, 3]  # two that nobody has counted yet, and up to two more


@pytest.mark.parametrize(("seconds", "words"), [(60, "1 minute"), (5400, "90 minutes"), (86400, "24 hours")])
def test_a_deadline_is_told_in_words(seconds: float, words: str) -> None:
    assert overdue._words(seconds) == words
