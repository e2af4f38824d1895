"""Tallies: fast, durable before they are acknowledged, and never more than the outcome objects say."""

import asyncio
import threading
from collections.abc import Coroutine

import pytest

from storage import keys
from storage.memory import MemoryStore
from streams.events import Lane
from streams.jobs import ending, ledger, markers, tallies
from streams.jobs.records import Cancelled, Job, ManifestIndex
from streams.jobs.tallies import Tallies
from streams.jobs.tally import Tally
from tests.streams.books import START, Time, done, label, listed, refuse
from tests.streams.stand import run


def job_with(store: MemoryStore, images: int) -> None:
    job = Job(job="j", name="n", object="uploads/u/n", etag="e", size=1, model="nuclei", model_digest="d", created=1.0)
    ledger.write(store, keys.job("j"), job)
    ledger.write(store, keys.manifest_index("j"), ManifestIndex(job="j", images=images, shards=1, lane=Lane.BULK))
    store.put(keys.open_job("j"), b"{}")


def test_a_tick_returns_only_when_the_bucket_knows() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 3)

    async def work() -> None:
        await Tallies(store, seconds=0.01).tick("j", 1, labelled=True)

    run(work())
    assert ledger.tallied(store, "j").counts() == (1, 0)


def test_many_ticks_are_one_write() -> None:  # rule 11
    class Counting(MemoryStore):
        writes = 0

        def put(self, key: str, data: bytes, note: str = "") -> str:
            self.writes += key.startswith("tally/")
            return super().put(key, data, note)

    store = Counting()
    job_with(store, 1000)

    async def work() -> None:
        owner = Tallies(store, seconds=0.3)
        await asyncio.gather(*(owner.tick("j", image, labelled=True) for image in range(500)))

    run(work())
    assert ledger.tallied(store, "j").counts() == (500, 0)
    assert store.writes <= 2


def test_a_jobs_last_image_does_not_wait_for_the_next_checkpoint() -> None:
    store = MemoryStore()
    job_with(store, 2)
    for image in (0, 1):
        store.put(keys.labels("j", image), b"tif")

    async def work() -> None:
        owner = Tallies(store, seconds=3600)
        await asyncio.gather(*(owner.tick("j", image, labelled=True) for image in (0, 1)))

    run(work())
    assert ledger.state(store, "j").state == "done"


def test_a_checkpoint_on_its_way_is_not_overtaken_by_the_next() -> None:  # rule 3
    class Slow(MemoryStore):
        together, most = 0, 0

        def put(self, key: str, data: bytes, note: str = "") -> str:
            self.together += 1
            self.most = max(self.most, self.together)
            threading.Event().wait(0.02)
            self.together -= 1
            return super().put(key, data, note)

    store = Slow()
    job_with(store, 20)

    async def work() -> None:
        owner = Tallies(store, seconds=0.001)
        twice = [owner.tick("j", image, labelled=True) for image in (*range(20), *range(20))]
        await asyncio.gather(*(_later(place / 500, each) for place, each in enumerate(twice)))

    run(work())
    assert store.most == 1
    assert ledger.tallied(store, "j").counts() == (20, 0)


async def _later(seconds: float, tick: Coroutine[None, None, None]) -> None:
    await asyncio.sleep(seconds)
    await tick


def test_a_job_is_not_done_before_its_outcome_objects_say_so() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 1)
    run(Tallies(store, seconds=0.01).tick("j", 0, labelled=True))
    assert ledger.state(store, "j").state == "running"
    store.put(keys.labels("j", 0), b"tif")
    run(Tallies(store, seconds=0.01).tick("j", 0, labelled=True))
    assert ledger.state(store, "j").state == "done"


def test_a_new_owner_goes_on_from_what_the_old_one_ticked() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 2)
    for image in (0, 1):
        store.put(keys.labels("j", image), b"tif")
        run(Tallies(store, seconds=0.01).tick("j", image, labelled=True))
    assert ledger.state(store, "j").state == "done"


def test_a_store_that_is_away_leaves_the_tick_unacknowledged_and_able_to_come_again() -> None:
    from storage.objects import Unavailable

    class Away(MemoryStore):
        away = True

        def put(self, key: str, data: bytes, note: str = "") -> str:
            if self.away and key.startswith("tally/"):
                raise Unavailable("away")
            return super().put(key, data, note)

    store = Away()
    job_with(store, 2)

    async def work() -> None:
        owner = Tallies(store, seconds=0.01)
        try:
            await owner.tick("j", 0, labelled=True)
        except Unavailable:
            store.away = False
            await owner.tick("j", 0, labelled=True)
        else:
            raise AssertionError("the tick was acknowledged")

    run(work())
    assert Tally.decode(store.get(next(store.list("tally/")).key)).counts() == (1, 0)


def test_an_outcome_of_a_job_that_was_never_accepted_is_passed_without_a_trace() -> None:
    store = MemoryStore()
    run(Tallies(store, seconds=0.01).tick("ghost", 1, labelled=True))
    assert not list(store.list(""))


def test_an_outcome_beyond_the_manifest_is_no_image_of_the_job() -> None:  # rule 2
    store = MemoryStore()
    job_with(store, 2)
    run(Tallies(store, seconds=0.01).tick("j", 77, labelled=True))
    assert ledger.state(store, "j").labelled == 0


def test_a_job_that_comes_back_to_an_old_owner_counts_what_others_ticked() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 3)
    for image in range(3):
        store.put(keys.labels("j", image), b"tif")

    async def work() -> None:
        one, other = Tallies(store, seconds=0.01), Tallies(store, seconds=0.01)
        await one.tick("j", 0, labelled=True)
        one.forget()
        await other.tick("j", 1, labelled=True)
        await one.tick("j", 2, labelled=True)

    run(work())
    assert ledger.state(store, "j").state == "done"


def test_tallies_written_before_there_were_rounds_belong_to_the_first() -> None:  # rule 24
    store = MemoryStore()
    job_with(store, 3)
    store.put("tally/j/00000000000000000001-0a1b2c3d", Tally(labelled=0b11, rejected=0b100).encode())
    assert ledger.state(store, "j").labelled == 2
    assert ledger.state(store, "j").rejected == 1


def test_a_tick_never_makes_an_owners_tally_smaller() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 3)

    async def work() -> None:
        owner = Tallies(store, seconds=0.01)
        await owner.tick("j", 0, labelled=True)
        owner.forget()
        store.delete([stat.key for stat in store.list("tally/")])
        await owner.tick("j", 1, labelled=True)

    run(work())
    assert ledger.tallied(store, "j").counts() == (2, 0)


def test_many_jobs_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "KEPT", 3)
    store = MemoryStore()

    async def work() -> int:
        owner = Tallies(store, seconds=0.001)
        for number in range(9):
            listed(store, 2, f"j{number}")
            await owner.tick(f"j{number}", 0, labelled=True)
        await owner.tick("j0", 1, labelled=True)
        return len(owner._jobs)

    assert run(work()) <= 3
    assert ledger.tallied(store, "j0").counts() == (2, 0)


def test_a_label_that_lands_after_a_cancelled_job_was_settled_is_counted_in_its_end() -> None:  # rules 2 and 5
    store = MemoryStore()
    listed(store, 3)
    markers.cancel(store, "a1", Time(START + 9))

    async def work() -> None:
        owner = Tallies(store, seconds=0.001)
        label(store, 0)
        await owner.tick("a1", 0, labelled=True)
        ending.finish(store, "a1", Cancelled(job="a1", created=START + 9))
        assert (done(store).labelled, done(store).cancelled) == (1, 2)
        label(store, 1)
        await owner.tick("a1", 1, labelled=True)

    run(work())
    assert (done(store).labelled, done(store).cancelled, done(store).finished) == (2, 1, START + 9)


def test_redelivered_outcomes_of_a_job_that_is_over_are_not_counted_again() -> None:
    class Counting(MemoryStore):
        listings = 0

        def list(self, prefix: str):  # type: ignore[no-untyped-def]
            self.listings += prefix == keys.labels_prefix("a1")
            return super().list(prefix)

    store = Counting()
    listed(store, 100)
    label(store, *range(99))
    refuse(store, 99)

    async def work() -> None:
        owner = Tallies(store, seconds=0.001)
        for _ in range(2):
            await asyncio.gather(*(owner.tick("a1", image, image < 99) for image in range(100)))

    run(work())
    assert ledger.state(store, "a1").state == "done"
    assert store.listings < 9


def test_no_tick_is_durable_before_what_has_to_be_done_first_though_it_comes_meanwhile() -> None:
    store = MemoryStore()
    job_with(store, 3)
    durable: list[tuple[int, int]] = []

    async def work() -> None:
        meanwhile: list[asyncio.Task[None]] = []

        async def before() -> None:
            durable.append(ledger.tallied(store, "j").counts())
            if len(durable) == 1:
                meanwhile.append(asyncio.create_task(owner.tick("j", 2, labelled=True)))
                while not owner._jobs["j"].dirty:
                    await asyncio.sleep(0)

        owner = Tallies(store, 0.01, before)
        await owner.tick("j", 1, labelled=True)
        assert ledger.tallied(store, "j").counts() == (1, 0)
        await asyncio.gather(*meanwhile)

    run(work())
    assert durable == [(0, 0), (1, 0)]
    assert ledger.tallied(store, "j").counts() == (2, 0)
