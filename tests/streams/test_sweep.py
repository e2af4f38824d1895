"""The sweeper: somebody looks at every job that has not ended, whatever vanished and whoever died."""

import asyncio
import dataclasses

import pytest

from storage import keys
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams.events import ImageEnded, Lane, UploadReceived
from streams.jobs import ledger, markers
from streams.jobs.records import Job
from streams.jobs.tallies import Tallies
from streams.rounds import replay
from streams.sweep import SETTLE_SECONDS, Sweeper
from tests.streams.books import JOB, accepted, count, done, label, listed, refuse
from tests.streams.stand import CHAINED, Queue, archive, run, tiff, tools
from tests.streams.watch import HOUR, Watch, slice_of


@pytest.fixture
def watch() -> Watch:
    return Watch(MemoryStore())


def test_a_job_that_is_worked_on_is_left_alone(watch: Watch) -> None:  # rule 4
    listed(watch.store, 3)
    assert watch.looks(60) == []
    assert watch.clock.counted == 59 * 60


def test_messages_that_vanished_are_announced_again_when_nothing_is_in_flight(watch: Watch) -> None:  # rule 4
    listed(watch.store, 2500)
    label(watch.store, *range(1000, 2000))
    count(watch.store)
    watch.look()
    watch.lag = 0
    assert watch.look() == []
    assert watch.look() == [slice_of(0), slice_of(2)]


def test_nothing_has_vanished_while_images_end_or_nobody_knows_the_backlog(watch: Watch) -> None:  # rule 4
    listed(watch.store, 9)
    for image, lag in enumerate([0, 0, 0, None, 0, 7, 0]):
        label(watch.store, image)
        count(watch.store)
        watch.lag = lag
        assert watch.look() == []


def test_the_last_few_images_of_a_job_do_not_wait_for_the_queues_of_others(watch: Watch) -> None:  # rule 4
    listed(watch.store, 2500)
    label(watch.store, *range(2499))
    count(watch.store)
    watch.lag = 100_000
    assert watch.looks(10) == []
    assert watch.look() == [slice_of(2).model_copy(update={"lane": Lane.INTERACTIVE})]
    assert [minute for minute in range(1, 80) if watch.look()] == [10, 30, 70]


def test_a_job_of_which_much_is_left_may_stand_still_behind_others(watch: Watch) -> None:  # rule 4
    listed(watch.store, 24)
    label(watch.store, *range(21))
    count(watch.store)
    watch.lag = 100_000
    assert watch.looks(60) == []


def test_what_vanishes_again_and_again_is_announced_at_growing_distances(watch: Watch) -> None:  # rule 4
    listed(watch.store, 3)
    watch.lag = 0
    announced = [minute for minute in range(64) if watch.look()]
    assert announced == [1, 2, 4, 8, 16, 32]
    label(watch.store, 0)
    count(watch.store)
    assert [minute for minute in range(3) if watch.look()] == [1, 2]


def test_an_archive_whose_listing_vanished_is_announced_again(watch: Watch) -> None:  # rule 4
    job = accepted(watch.store, options={"diameter": 24}, submission="s", deadline=7 * HOUR)
    watch.lag = 0
    [upload] = watch.looks(2)
    assert upload == UploadReceived(
        job=JOB, object=job.object, etag=job.etag, name=job.name, submission="s", options={"diameter": 24.0}
    )


def test_outcomes_that_nobody_counted_are_announced_again(watch: Watch) -> None:  # rules 1 and 4
    listed(watch.store, 4)
    label(watch.store, 0, 1)
    count(watch.store)
    label(watch.store, 2)
    refuse(watch.store, 3)
    watch.lag = 0
    ends = [event for event in watch.looks(2) if isinstance(event, ImageEnded)]
    assert {(end.image, end.outcome) for end in ends} == {(2, "labelled"), (3, "rejected")}


def test_a_job_whose_collector_died_before_its_last_word_is_finished(watch: Watch) -> None:  # rules 3 and 4
    listed(watch.store, 2)
    label(watch.store, 0, 1)
    count(watch.store)
    assert watch.look() == []
    assert (done(watch.store).labelled, ledger.exists(watch.store, keys.open_job(JOB))) == (2, False)


def test_a_tally_that_claims_more_than_there_is_ends_no_job(watch: Watch) -> None:  # rule 3
    listed(watch.store, 2)
    label(watch.store, 0, 1)
    count(watch.store)
    watch.store.delete([keys.labels(JOB, 1)])
    watch.lag = 0
    assert watch.looks(2) == [slice_of()]
    assert ledger.read_done(watch.store, JOB) is None


def test_an_ended_job_is_not_looked_after_any_more(watch: Watch) -> None:
    listed(watch.store, 1)
    label(watch.store, 0)
    count(watch.store)
    watch.look()
    watch.store.put(keys.open_job(JOB), b"{}")
    assert watch.look() == []
    assert not ledger.exists(watch.store, keys.open_job(JOB))


def test_a_cancelled_job_settles_and_its_scratch_goes(watch: Watch) -> None:  # rule 5
    listed(watch.store, 5, deadline=HOUR)
    label(watch.store, 0)
    watch.store.put(f"{keys.scratch(JOB, 3)}p/maps/00000", b"maps")
    watch.look()
    markers.cancel(watch.store, JOB, watch.time)
    cancelled = watch.time.now
    watch.looks(int(SETTLE_SECONDS / 60) - 1)
    assert ledger.read_done(watch.store, JOB) is None
    label(watch.store, 1)
    assert watch.looks(2) == []
    end = done(watch.store)
    assert (end.images, end.labelled, end.cancelled, end.finished) == (5, 2, 3, cancelled)
    assert not list(watch.store.list(keys.SCRATCH))
    assert not ledger.exists(watch.store, keys.open_job(JOB))


def test_a_job_cancelled_before_it_was_listed_settles_as_one_image(watch: Watch) -> None:  # rule 5
    accepted(watch.store)
    markers.cancel(watch.store, JOB, watch.time)
    before = ledger.state(watch.store, JOB)
    watch.looks(12)
    after = ledger.state(watch.store, JOB)
    assert (after.state, after.images, after.cancelled) == (before.state, before.images, before.cancelled)
    assert ledger.read_done(watch.store, JOB) is not None


def test_a_replay_whose_announcement_got_lost_is_announced(watch: Watch) -> None:  # rules 4 and 6
    listed(watch.store, 2)
    label(watch.store, 0)
    refuse(watch.store, 1)
    count(watch.store)
    watch.look()
    replay(watch.store, JOB, now=watch.time)
    watch.lag = 0
    assert watch.looks(2) == [slice_of(0, round_=1)]


def test_only_its_owner_looks_after_a_job(watch: Watch) -> None:
    listed(watch.store, 1)
    listed(watch.store, 1, "b2")
    watch.mine = lambda job: job == "b2"
    watch.lag = 0
    assert {event.job for event in watch.looks(3)} == {"b2"}


def test_a_canary_that_breaks_ends_no_sweeper(watch: Watch) -> None:
    async def broken() -> bool:
        raise RuntimeError("boom")

    listed(watch.store, 1)
    sweeper = Sweeper(watch.store, watch.mine, lambda: 0, broken, watch.time)
    assert run(sweeper.look()) == []


def test_a_store_that_is_away_is_looked_at_again_later() -> None:
    class Away(MemoryStore):
        away = False

        def list(self, prefix: str):  # type: ignore[no-untyped-def]
            if self.away:
                raise Unavailable("away")
            return super().list(prefix)

    store = Away()
    watch = Watch(store)
    listed(store, 1, deadline=HOUR)
    store.away = True
    assert watch.looks(100) == []
    store.away = False
    watch.looks(2)
    assert watch.clock.counted == 60


def test_a_job_that_can_not_be_read_keeps_no_other_waiting(watch: Watch) -> None:
    listed(watch.store, 1)
    listed(watch.store, 1, "b2")
    watch.store.put(keys.job("b2"), b"rotten")
    watch.lag = 0
    assert {event.job for event in watch.looks(3)} == {JOB}


def test_a_look_costs_a_job_that_runs_a_few_small_requests() -> None:
    class Counting(MemoryStore):
        asked = 0

        def get(self, key: str, *given, **named):  # type: ignore[no-untyped-def]
            self.asked += 1
            return super().get(key, *given, **named)

        def list(self, prefix: str):  # type: ignore[no-untyped-def]
            assert "labels" not in prefix
            self.asked += 1
            return super().list(prefix)

    store = Counting()
    watch = Watch(store)
    listed(store, 1000)
    watch.look()
    store.asked = 0
    watch.look()
    assert store.asked <= 12


def test_whatever_vanishes_every_image_ends() -> None:  # promise 5, rule 4
    given = tools()
    given.store.put("uploads/u/p.zip", archive({"a.tif": tiff(), "b.txt": b"no"}))
    upload = UploadReceived(object="uploads/u/p.zip")
    for lost in CHAINED:
        store = MemoryStore()
        store.put("uploads/u/p.zip", given.store.get("uploads/u/p.zip"))
        world = dataclasses.replace(tools(store), tallies=Tallies(store, seconds=0.001))
        run(Queue(world, tuple(name for name in CHAINED if name != lost)).work(upload))
        job = next(ledger.jobs(store), None)
        if job is None:
            continue  # nothing was accepted: whoever sent the upload was not told that it was
        _recover(world, store, job)
        state = ledger.state(store, job.job)
        assert (state.state, state.labelled, state.rejected) == ("done", 1, 1), lost


def _recover(given, store: MemoryStore, job: Job) -> None:  # type: ignore[no-untyped-def]
    watch = Watch(store)
    watch.time.now = job.created
    watch.lag = 0
    for _ in range(4):
        asyncio.run(Queue(given, CHAINED).work(*watch.look()))
