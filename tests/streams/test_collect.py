"""Tallies: fast, durable before they are acknowledged, and never more than the outcome objects say."""

import asyncio

from storage import keys
from storage.memory import MemoryStore
from streams import ledger
from streams.events import Lane
from streams.ledger import Job, ManifestIndex
from streams.tallies import Tallies
from streams.tally import Tally
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
        await Tallies(store).tick("j", 1, labelled=True)

    run(work())
    assert ledger.tallied(store, "j").counts() == (1, 0)


def test_many_ticks_are_one_write() -> None:  # rule 11
    class Counting(MemoryStore):
        writes = 0

        def put(self, key: str, data: bytes) -> str:
            self.writes += key.startswith("tally/")
            return super().put(key, data)

    store = Counting()
    job_with(store, 1000)

    async def work() -> None:
        tallies = Tallies(store)
        await asyncio.gather(*(tallies.tick("j", image, labelled=True) for image in range(500)))

    run(work())
    assert ledger.tallied(store, "j").counts() == (500, 0)
    assert store.writes <= 2


def test_a_job_is_not_done_before_its_outcome_objects_say_so() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 1)
    run(Tallies(store).tick("j", 0, labelled=True))
    assert ledger.state(store, "j").state == "running"
    store.put(keys.labels("j", 0), b"tif")
    run(Tallies(store).tick("j", 0, labelled=True))
    assert ledger.state(store, "j").state == "done"


def test_a_new_owner_goes_on_from_what_the_old_one_ticked() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 2)
    for image in (0, 1):
        store.put(keys.labels("j", image), b"tif")
        run(Tallies(store).tick("j", image, labelled=True))
    assert ledger.state(store, "j").state == "done"


def test_a_store_that_is_away_leaves_the_tick_unacknowledged_and_able_to_come_again() -> None:
    from storage.objects import Unavailable

    class Away(MemoryStore):
        away = True

        def put(self, key: str, data: bytes) -> str:
            if self.away and key.startswith("tally/"):
                raise Unavailable("away")
            return super().put(key, data)

    store = Away()
    job_with(store, 2)

    async def work() -> None:
        tallies = Tallies(store)
        try:
            await tallies.tick("j", 0, labelled=True)
        except Unavailable:
            store.away = False
            await tallies.tick("j", 0, labelled=True)
        else:
            raise AssertionError("the tick was acknowledged")

    run(work())
    assert Tally.decode(store.get(next(store.list("tally/")).key)).counts() == (1, 0)


def test_an_outcome_of_a_job_that_was_never_accepted_is_passed_without_a_trace() -> None:
    store = MemoryStore()
    run(Tallies(store).tick("ghost", 1, labelled=True))
    assert not list(store.list(""))


def test_an_outcome_beyond_the_manifest_is_no_image_of_the_job() -> None:  # rule 2
    store = MemoryStore()
    job_with(store, 2)
    run(Tallies(store).tick("j", 77, labelled=True))
    assert ledger.state(store, "j").labelled == 0


def test_a_job_that_comes_back_to_an_old_owner_counts_what_others_ticked() -> None:  # rule 3
    store = MemoryStore()
    job_with(store, 3)
    for image in range(3):
        store.put(keys.labels("j", image), b"tif")

    async def work() -> None:
        one, other = Tallies(store), Tallies(store)
        await one.tick("j", 0, labelled=True)
        one.forget()
        await other.tick("j", 1, labelled=True)
        await one.tick("j", 2, labelled=True)

    run(work())
    assert ledger.state(store, "j").state == "done"
