"""What a job used survives in the bucket; a job that costs more than it may is held, and says so."""

import pytest

from observability.cost import Asked, Prices
from storage import keys
from storage.memory import MemoryStore
from streams.deadlines import RELEASE_SECONDS
from streams.jobs import budgets, ending, ledger, markers
from streams.jobs.records import Cancelled, Job
from streams.jobs.tallies import Tallies
from streams.rounds import replay
from streams.sweep import SETTLE_SECONDS, Sweeper
from tests.scraped import number
from tests.streams.books import JOB, count, done, label, listed, refuse
from tests.streams.jobs.test_accounts import PRICES, Books
from tests.streams.stand import archive, run, submit, tiff, tools
from tests.streams.watch import Watch


class Counted(Watch):
    """A sweeper beside whoever counts, by one clock. A second of the machine is a dollar."""

    def __init__(self, store: MemoryStore | None = None, prices: Prices | None = PRICES, now: float = 0) -> None:
        super().__init__(store or MemoryStore())
        self.books = Books(prices)
        self.time = self.books.time
        self.time.now += now
        self.sweeper = Sweeper(
            self.store, lambda job: True, lambda: self.lag, self._healthy, self.time, accounts=self.books
        )

    def job(self, images: int = 100, **fields: object) -> Job:
        made = listed(self.store, images, created=self.time.now, **fields)
        self.books.open(made, None)
        return made

    def ends(self, *seconds: float) -> None:
        for each in seconds:
            self.books.end(JOB, each)

    @property
    def used(self) -> float:
        """Seconds of the machine that the bucket knows of."""
        usage = ledger.state(self.store, JOB).usage
        return usage.nodes["machine"] if usage else 0.0

    @property
    def held(self) -> str:
        return ledger.state(self.store, JOB).held


@pytest.fixture
def watch() -> Counted:
    return Counted()


def test_what_a_job_used_is_in_the_bucket_with_the_next_look_and_only_once(watch: Counted) -> None:
    watch.job()
    watch.ends(1, 2)
    assert watch.used == 0
    watch.look(0)
    assert watch.used == 3
    watch.look(0)
    watch.ends(4)
    watch.look(0)
    assert watch.used == 7


def test_an_owner_that_dies_takes_along_what_it_counted_since_its_last_look(watch: Counted) -> None:
    made = watch.job()
    watch.ends(1, 2)
    watch.look(0)
    watch.ends(4)
    heir = Counted(watch.store, now=7)
    heir.books.open(made, watch.clock.usage)
    heir.books._last = heir.time.now
    heir.ends(5)
    heir.look(0)
    assert heir.used == 3 + 5


def test_the_end_of_a_job_tells_all_that_it_used(watch: Counted) -> None:
    watch.job(2)
    watch.ends(1)
    watch.look(0)
    watch.ends(2)
    label(watch.store, 0, 1)
    ending.finish(watch.store, JOB, owed=watch.books.owed(JOB))
    assert watch.used == 3
    ending.finish(watch.store, JOB, owed=watch.books.owed(JOB))
    assert watch.used == 3


def test_the_sweeper_that_ends_a_job_knows_what_is_owed(watch: Counted) -> None:
    watch.job(1)
    watch.ends(2)
    label(watch.store, 0)
    count(watch.store)
    watch.look(0)
    assert (done(watch.store).labelled, watch.used) == (1, 2)


def test_a_cancelled_job_has_cost_what_it_used(watch: Counted) -> None:
    watch.job(5)
    watch.ends(2)
    ledger.write(watch.store, keys.cancelled(JOB), Cancelled(job=JOB, created=watch.time.now))
    watch.look(SETTLE_SECONDS / 60)
    assert (done(watch.store).cancelled, watch.used) == (5, 2)


def test_a_replay_costs_what_came_before_and_what_it_adds(watch: Counted) -> None:
    made = watch.job(2)
    watch.ends(1, 2)
    label(watch.store, 0)
    refuse(watch.store, 1)
    ending.finish(watch.store, JOB, owed=watch.books.owed(JOB))
    watch.books.close(JOB)
    replay(watch.store, JOB, now=watch.time)
    assert watch.used == 3
    watch.books.open(made, watch.clock.usage)
    watch.ends(4)
    label(watch.store, 1)
    ending.finish(watch.store, JOB, owed=watch.books.owed(JOB))
    assert watch.used == 3 + 4


def test_a_job_is_held_when_it_has_cost_more_than_it_may_and_says_so(watch: Counted) -> None:
    watch.job(budget=10)
    watch.ends(10)
    watch.look(0)
    assert watch.held == ""
    watch.ends(2.5)
    before = number("monolayer_budgets_spent_total")
    watch.look(0)
    assert number("monolayer_budgets_spent_total") == before + 1
    assert watch.held == (
        f"its budget of $10.00 is spent, it has cost $12.50; `monolayer release {JOB} --budget MORE` lets it go on"
    )


def test_a_held_job_goes_on_with_a_larger_budget_until_that_is_spent(watch: Counted) -> None:
    made = watch.job(budget=10)
    watch.ends(11)
    watch.look(0)
    budgets.give(watch.store, made, 20, watch.time)
    markers.release(watch.store, JOB, watch.time)
    assert [type(event).__name__ for event in watch.look(RELEASE_SECONDS / 60)] == ["SliceListed"]
    watch.look()
    assert watch.held == ""
    watch.ends(9.5)
    watch.look(0)
    assert watch.held.startswith("its budget of $20.00 is spent")


def test_a_job_without_a_budget_may_cost_as_much_as_it_takes(watch: Counted) -> None:
    watch.job()
    watch.ends(*[50] * 100)
    watch.look(0)
    assert (watch.used, watch.held) == (5000, "")


def test_where_prices_are_not_known_no_budget_holds_a_job() -> None:
    watch = Counted(prices=None)
    watch.job(budget=1)
    watch.ends(50)
    watch.look(0)
    assert watch.held == ""


def test_a_budget_travels_with_the_upload() -> None:
    given = tools()
    submit(given, archive({"a.tif": tiff()}), budget=2.5)
    [job] = ledger.jobs(given.store)
    assert budgets.read(given.store, job) == 2.5


def test_a_job_that_went_through_the_whole_pipeline_has_used_the_machine() -> None:
    given = tools()
    submit(given, archive({"a.tif": tiff(), "b.tif": b"no"}))
    [job] = ledger.jobs(given.store)
    state = ledger.state(given.store, job.job)
    assert state.state == "done" and state.usage is not None
    assert 0 < state.usage.nodes["machine"] <= state.seconds + 0.001  # told in milliseconds
    assert given.tallies.accounts.dollars(job.job) is None


def test_an_end_carries_what_its_worker_asked_of_the_store_and_is_charged_once() -> None:
    given, asked = tools(), Asked(a=3, b=4, sent=5, received=6)
    counted = iter([asked])
    object.__setattr__(given, "since", lambda: next(counted, Asked()))
    ends = [event for event in submit(given, archive({"a.tif": tiff()})) if event.topic == "outcomes"]
    assert [end.asked for end in ends] == [asked]  # type: ignore[attr-defined]
    [job] = ledger.jobs(given.store)
    usage = ledger.state(given.store, job.job).usage
    assert usage is not None and (usage.operations, usage.traffic) == ({"A": 3, "B": 4}, {"store": 11})
    assert usage.images == 1


def test_an_end_that_comes_twice_is_paid_once() -> None:
    store, books = MemoryStore(), Books()
    listed(store, 3, created=books.time.now)
    label(store, 0)

    async def work() -> None:
        owner = Tallies(store, seconds=0.001, accounts=books)
        for _ in range(2):
            books.time.now += 4
            await owner.tick(JOB, 0, labelled=True)

    run(work())
    assert books.seconds(JOB) == 4
