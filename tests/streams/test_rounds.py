"""Replay: exactly the rejected images go through again, from the manifest, in a round of their own."""

import asyncio
from collections.abc import Callable

import pytest

from storage import keys
from storage.memory import MemoryStore
from streams import announce
from streams.events import ImageEnded, ImageFound, Lane, SliceListed, UploadReceived
from streams.jobs import ending, ledger, markers
from streams.jobs.records import Round
from streams.jobs.tallies import Tallies
from streams.rounds import CannotReplay, NothingToReplay, replay, slices
from streams.stages import chain
from streams.unzip import whole
from tests.streams.books import JOB, START, Time, count, done, label, listed, refuse
from tests.streams.stand import CHAINED, Queue, archive, run, submit, tiff, tools


def ended(images: int = 4, rejected: tuple[int, ...] = (1, 3)) -> MemoryStore:
    """A finished job with some rejected images."""
    store = MemoryStore()
    listed(store, images)
    label(store, *(image for image in range(images) if image not in rejected))
    refuse(store, *rejected)
    count(store)
    ending.finish(store, JOB)
    return store


def announced(store: MemoryStore, listed: SliceListed) -> list[ImageFound | ImageEnded]:
    found = run(announce.announce(listed, tools(store)))
    return list(found)


def tick_all(store: MemoryStore, ticks: list[tuple[int, bool, int]]) -> None:
    async def work() -> None:
        tallies = Tallies(store, seconds=0.001)
        for image, labelled, round_ in ticks:
            await tallies.tick(JOB, image, labelled, round_)

    run(work())


def test_a_replay_takes_exactly_the_rejected_images() -> None:  # rule 6
    store = ended()
    round_ = replay(store, JOB, now=Time())
    assert (round_.round, round_.images, round_.created) == (1, [1, 3], START)
    assert ledger.read_rounds(store, JOB) == [round_]
    [listed] = slices(round_)
    assert (listed.round, listed.again, listed.shard, listed.lane) == (1, True, 0, round_.lane)


def test_a_replay_has_the_deadline_of_its_job_or_one_of_its_own() -> None:  # rule 6
    job = ledger.read_job(store := ended(), JOB)
    assert replay(store, JOB, image="1.tif").deadline == job.deadline
    assert replay(store, JOB, image="3.tif", deadline=3600).deadline == 3600
    assert ledger.state(store, JOB).deadline == 3600


def test_a_label_that_came_after_the_end_still_counts_while_others_are_replayed() -> None:  # rules 2, 3 and 6
    store = ended()
    label(store, 1)  # the worker had it in hand when its time was over
    ending.finish(store, JOB)
    replay(store, JOB)
    state = ledger.state(store, JOB)
    assert (state.state, state.labelled, state.rejected, state.in_flight) == ("running", 3, 0, 1)


class Meanwhile(MemoryStore):
    """A store in which something happens just before a round is written."""

    def __init__(self, store: MemoryStore, happens: Callable[[], object]) -> None:
        self.__dict__.update(store.__dict__)
        self._happens: Callable[[], object] | None = happens

    def put(self, key: str, data: bytes, note: str = "") -> str:
        if key.startswith(keys.rounds(JOB)) and (happens := self._happens) is not None:
            self._happens = None
            happens()
        return super().put(key, data, note)


def test_two_replays_at_once_send_the_images_of_both_through() -> None:  # rules 6 and 11
    store = ended()
    theirs: list[Round] = []
    ours = replay(Meanwhile(store, lambda: theirs.append(replay(store, JOB, image="1.tif"))), JOB, image="3.tif")
    assert [(each.round, each.images) for each in (ours, *theirs)] == [(1, [3]), (1, [1])]
    [both] = ledger.read_rounds(store, JOB)
    assert (both.round, both.images) == (1, [1, 3]) == (1, ledger.read_round(store, JOB, 1).images)
    assert ledger.state(store, JOB).in_flight == 2


def test_a_replay_that_another_has_overtaken_and_ended_is_the_next_round() -> None:  # rules 6 and 11
    store = ended()

    def other() -> None:
        round_ = replay(store, JOB, image="1.tif")
        store.put(keys.rejection(JOB, 1, round_.round), b"{}")
        ending.finish(store, JOB)

    ours = replay(Meanwhile(store, other), JOB, image="3.tif")
    assert (ours.round, ours.images) == (2, [3])
    assert [each.round for each in ledger.read_rounds(store, JOB)] == [1, 2]


def test_only_slices_with_replayed_images_are_announced() -> None:  # rule 6
    store = ended(2500, rejected=(7, 8, 2400))
    assert [listed.shard for listed in slices(replay(store, JOB))] == [0, 2]


def test_a_job_that_is_replayed_runs_again_until_its_round_has_ended() -> None:  # rules 2 and 6
    store = ended()
    replay(store, JOB)
    state = ledger.state(store, JOB)
    assert (state.state, state.round, state.labelled, state.rejected, state.in_flight) == ("running", 1, 2, 0, 2)
    assert ledger.exists(store, keys.open_job(JOB))
    label(store, 1)
    refuse(store, 3, round_=1)
    tick_all(store, [(1, True, 1), (3, False, 1)])
    state = ledger.state(store, JOB)
    assert (state.state, state.labelled, state.rejected, state.in_flight) == ("done", 3, 1, 0)
    assert done(store).round == 1
    assert not ledger.exists(store, keys.open_job(JOB))


def test_the_time_of_a_replay_counts_from_the_replay() -> None:
    store = ended()
    first = done(store)
    assert ledger.state(store, JOB).round_seconds is None
    replay(store, JOB, now=Time(START + 3600))
    ledger.write(store, keys.done(JOB), first.model_copy(update={"round": 1, "finished": START + 3605}))
    assert ledger.state(store, JOB).round_seconds == 5


def test_a_zombies_rejection_of_an_older_round_counts_for_nothing() -> None:  # rules 2 and 6
    store = ended()
    replay(store, JOB)
    tick_all(store, [(1, False, 0)])
    assert ledger.state(store, JOB).rejected == 0


def test_a_late_label_of_an_older_round_counts() -> None:  # rule 2
    store = ended()
    replay(store, JOB)
    label(store, 1)
    tick_all(store, [(1, True, 0)])
    state = ledger.state(store, JOB)
    assert (state.labelled, state.in_flight) == (3, 1)


def test_a_label_that_comes_after_the_end_is_counted_in_it() -> None:  # rule 2
    store = ended()
    before = done(store)
    label(store, 1)
    tick_all(store, [(1, True, 0)])
    assert (done(store).labelled, done(store).rejected, done(store).finished) == (3, 1, before.finished)
    assert not ledger.exists(store, keys.open_job(JOB))


def test_an_owner_that_counts_an_older_round_learns_of_a_replay_from_its_outcomes() -> None:  # rule 3
    store = MemoryStore()
    listed(store, 3)

    async def work() -> None:
        tallies = Tallies(store, seconds=0.001)
        refuse(store, 0)
        await tallies.tick(JOB, 0, labelled=False)
        replay(store, JOB)
        label(store, 1, 2)
        await tallies.tick(JOB, 1, labelled=True)
        await tallies.tick(JOB, 2, labelled=True)
        assert ledger.state(store, JOB).state == "running"
        label(store, 0)
        await tallies.tick(JOB, 0, labelled=True, round_=1)

    run(work())
    assert ledger.state(store, JOB).state == "done"


def test_a_round_nobody_opened_ticks_nothing_off() -> None:  # rule 2
    store = ended()
    replay(store, JOB)
    tick_all(store, [(1, False, 2)])
    assert ledger.state(store, JOB).in_flight == 2


@pytest.mark.parametrize(
    ("reason", "image", "images"),
    [
        ("timeout", None, [2]),
        (None, "b.tif", [1]),
        (None, "deep/*", [2, 3]),
        ("infrastructure", "deep/*", [3]),
        (None, "odd [1].tif", [4]),
    ],
)
def test_a_replay_can_be_of_one_reason_or_name(reason: None, image: str | None, images: list[int]) -> None:
    store = MemoryStore()
    listed(store, 5, names=["a.tif", "b.tif", "deep/c.tif", "deep/d.tif", "odd [1].tif"])
    refuse(store, 1, 3, 4)
    refuse(store, 2, reason="timeout")
    round_ = replay(store, JOB, reason, image)
    assert (round_.images, round_.reason, round_.name) == (images, reason, image)


def test_a_second_replay_takes_what_the_first_left_rejected() -> None:  # rule 6
    store = ended(5, rejected=(1, 2, 3))
    replay(store, JOB, image="1.tif")
    refuse(store, 1, round_=1, reason="timeout")
    assert {(story.image, story.round) for story in ledger.rejections(store, JOB)} == {(1, 1), (2, 0), (3, 0)}
    second = replay(store, JOB, reason="timeout")
    assert (second.round, second.images) == (2, [1])
    assert {story.image for story in ledger.rejections(store, JOB)} == {2, 3}


def test_what_is_in_flight_already_is_not_replayed_again() -> None:  # rule 6
    store = ended()
    replay(store, JOB)
    with pytest.raises(NothingToReplay, match="no image that stands rejected"):
        replay(store, JOB)


def test_a_name_that_no_rejected_image_has_is_told() -> None:
    with pytest.raises(NothingToReplay, match=r"called 'z.tif' that stands rejected as timeout"):
        replay(ended(), JOB, reason="timeout", image="z.tif")


def test_a_replay_past_its_inputs_is_refused_in_words() -> None:  # rule 7
    store = ended()
    job = ledger.read_job(store, JOB)
    store.put(job.object, b"another archive")
    with pytest.raises(CannotReplay, match="was replaced"):
        replay(store, JOB)
    store.delete([job.object])
    with pytest.raises(CannotReplay, match="is gone"):
        replay(store, JOB)


def test_a_cancelled_job_is_not_replayed() -> None:  # rule 5
    store = MemoryStore()
    listed(store, 2)
    refuse(store, 0)
    markers.cancel(store, JOB)
    with pytest.raises(CannotReplay, match="was cancelled"):
        replay(store, JOB)


def test_a_slice_of_a_round_announces_its_images_from_the_manifest() -> None:  # rules 6 and 10
    store = ended()
    [listed] = slices(replay(store, JOB))
    found = announced(store, listed)
    assert [(image.image, image.round) for image in found] == [(1, 1), (3, 1)]
    assert all(isinstance(image, ImageFound) and image.again and not image.attempt for image in found)


def test_a_slice_of_a_round_meets_what_has_ended_in_it() -> None:  # rules 2 and 10
    store = ended(5, rejected=(1, 2, 3))
    [listed] = slices(replay(store, JOB))
    label(store, 1)
    refuse(store, 2, round_=1)
    first, second, third = announced(store, listed)
    assert (first.image, first.topic, getattr(first, "outcome", "")) == (1, "outcomes", "labelled")
    assert (second.image, second.round, getattr(second, "outcome", "")) == (2, 1, "rejected")
    assert isinstance(third, ImageFound)


def test_a_replayed_job_comes_to_its_end_with_what_could_not_be_read_before() -> None:
    given = tools()
    events = submit(given, archive({"a.tif": tiff(), "b.tif": tiff(seed=2)}))
    job = next(ledger.jobs(given.store)).job
    before = given.store.get(keys.labels(job, 1))
    given.store.delete([keys.labels(job, 1), *(stat.key for stat in given.store.list(keys.tallies(job)))])
    refuse(given.store, 1, job=job)
    count(given.store, job)
    ending.finish(given.store, job)
    assert ledger.state(given.store, job).rejected == 1
    run(Queue(given, CHAINED).work(*slices(replay(given.store, job))))
    state = ledger.state(given.store, job)
    assert (state.state, state.labelled, state.rejected, state.round) == ("done", 2, 0, 1)
    assert given.store.get(keys.labels(job, 1)) == before
    assert [event.topic for event in events].count("images") == 2


def test_a_replay_between_the_end_and_its_tidying_up_leaves_the_job_looked_after() -> None:  # rule 4
    class Meanwhile(MemoryStore):
        def delete(self, doomed) -> None:  # type: ignore[no-untyped-def]
            if keys.open_job(JOB) in (found := list(doomed)) and not list(self.list(keys.rounds(JOB))):
                replay(self, JOB)
            super().delete(found)

    store = Meanwhile()
    listed(store, 2)
    label(store, 0)
    refuse(store, 1)
    ending.finish(store, JOB)
    assert ledger.state(store, JOB).state == "running"
    assert ledger.exists(store, keys.open_job(JOB))


@pytest.mark.parametrize(("images", "announced"), [(1, ImageFound), (21, SliceListed)])
def test_listing_again_announces_a_small_jobs_images_or_slices_as_announced_before(
    images: int, announced: type[ImageFound | SliceListed]
) -> None:  # rule 10
    given = tools()
    given.store.put("uploads/u/p.zip", archive({f"{number}.tif": tiff() for number in range(images)}))
    queue = Queue(given, ("unzip",))
    events = run(queue.work(UploadReceived(object="uploads/u/p.zip"), UploadReceived(object="uploads/u/p.zip")))
    assert [event.again for event in events if isinstance(event, announced)] == [False, True]
    assert len(events) == 4
    assert chain("unzip")[0].takes is UploadReceived


class Overtaken(MemoryStore):
    """While an upload is read, somebody else writes its job's manifest, and condemns it."""

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        if key.startswith(keys.UPLOADS):
            [name] = self.folders(keys.JOBS)
            condemned = {"problem": "its time is over", "reason": "bad_input"}
            entry = whole(ledger.read_job(self, name)).model_copy(update=condemned)
            ledger.write_manifest(self, name, [entry], Lane.INTERACTIVE)
        return super().get(key, start, length, etag)


def test_what_is_announced_is_what_the_manifest_says_whoever_wrote_it() -> None:  # rule 10
    given = tools(Overtaken())
    given.store.put("uploads/u/p.zip", archive({"a.tif": tiff()}))
    events = run(Queue(given, ("unzip",)).work(UploadReceived(object="uploads/u/p.zip")))
    assert [event.outcome for event in events if isinstance(event, ImageEnded)] == ["rejected"]
    assert not [event for event in events if isinstance(event, ImageFound)]


@pytest.mark.parametrize(("images", "waits"), [(1, False), (5_000, True)])
def test_a_small_job_is_listed_while_large_ones_wait_for_their_turn(images: int, waits: bool) -> None:
    given = tools()
    given.store.put("uploads/u/p.zip", archive({f"{number:0100d}.tif": b"x" for number in range(images)}))

    async def listing() -> bool:
        async with given.listing.large, given.listing.large:
            upload = asyncio.create_task(Queue(given, ("unzip",)).work(UploadReceived(object="uploads/u/p.zip")))
            _, pending = await asyncio.wait([upload], timeout=0.5 if waits else 30)
        await upload
        return bool(pending)

    assert run(listing()) is waits
