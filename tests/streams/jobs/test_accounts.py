"""Who pays for the machine: images that end, for the time since another ended."""

from datetime import date

import pytest

from observability.cost import MONTH, Asked, Figure, Prices, Usage
from streams.jobs.accounts import MOST_SECONDS, Accounts, of
from streams.jobs.records import Job
from tests.scraped import number
from tests.streams.books import START, Time


def _figure(dollars: float) -> Figure:
    return Figure(dollars=dollars, source="this test", dated=date(2026, 11, 28))


PRICES = Prices(
    place="here",
    nodes={"machine": _figure(3600)},  # a dollar a second
    operations={"A": _figure(1e6), "B": _figure(0)},  # a dollar each, and nothing
    traffic={"store": _figure(0)},
    storage={"bucket": _figure(0)},
)


class Books(Accounts):
    """Accounts by a clock that a test sets."""

    def __init__(self, prices: Prices | None = PRICES) -> None:
        self.time = Time()
        self.asked = Asked()
        super().__init__(prices, since=self._taken, clock=self.time, now=self.time)

    def _taken(self) -> Asked:
        taken, self.asked = self.asked, Asked()
        return taken

    def accept(self, job: str, kept: Usage | None = None, created: float | None = None) -> None:
        at = self.time.now if created is None else created
        made = Job(
            job=job, name="n", object="o", etag="e", size=10, model="nuclei", model_digest="d", created=at
        )  # fmt: skip
        self.open(made, kept)

    def end(self, job: str, after: float, asked: Asked | None = None) -> None:
        self.time.now += after
        self.charge(job, asked)

    def seconds(self, job: str) -> float:
        return self.owed(job).nodes.get("machine", 0.0)


@pytest.fixture
def books() -> Books:
    return Books()


def test_an_image_pays_for_the_time_since_another_ended(books: Books) -> None:
    books.accept("a")
    books.end("a", 3)
    books.end("a", 2)
    assert books.seconds("a") == 5


def test_two_jobs_at_once_pay_for_the_machine_once(books: Books) -> None:
    books.accept("a")
    books.accept("b")
    for job in "abaab":
        books.end(job, 2)
    assert (books.seconds("a"), books.seconds("b")) == (6, 4)


def test_time_before_a_job_was_accepted_is_nobodys(books: Books) -> None:
    books.accept("a")
    books.end("a", 1)
    books.time.now += 40
    books.accept("b")
    books.end("b", 2)
    assert books.seconds("b") == 2


def test_a_job_pays_from_its_acceptance_on_though_it_is_met_later(books: Books) -> None:
    books.accept("a", created=START - 7)
    books.end("a", 1)
    assert books.seconds("a") == 8


def test_a_pause_is_paid_up_to_a_minute(books: Books) -> None:
    books.accept("a")
    books.end("a", 1)
    books.end("a", 3 * 3600)
    assert books.seconds("a") == 1 + MOST_SECONDS


def test_a_clock_that_was_set_back_costs_nothing(books: Books) -> None:
    books.accept("a", created=START + 100)
    books.end("a", 2)
    assert books.seconds("a") == 2


def test_an_image_pays_for_what_was_asked_of_the_store_for_it_and_by_whoever_counts(books: Books) -> None:
    books.accept("a")
    books.asked = Asked(a=1, b=2, sent=3)
    books.end("a", 1, Asked(a=10, b=20, sent=30, received=40))
    books.end("a", 1)
    owed = books.owed("a")
    assert (owed.operations, owed.traffic) == ({"A": 11, "B": 22}, {"store": 73})


def test_what_the_bucket_knows_is_not_owed_and_what_came_meanwhile_is(books: Books) -> None:
    books.accept("a")
    books.end("a", 1)
    owed = books.owed("a")
    books.end("a", 2)
    books.keep("a", owed, owed)
    assert books.seconds("a") == 2
    assert books.dollars("a") == pytest.approx(3)


def test_what_a_job_has_cost_goes_on_where_another_owner_stopped(books: Books) -> None:
    books.accept("a", kept=Usage({"machine": 100.0}))
    before = number("monolayer_cost_dollars_total", part="nodes")
    books.end("a", 1)
    assert books.dollars("a") == pytest.approx(101)
    assert number("monolayer_cost_dollars_total", part="nodes") - before == pytest.approx(1)


def test_dollars_are_told_once_and_by_part(books: Books) -> None:
    nodes, operations = (number("monolayer_cost_dollars_total", part=part) for part in ("nodes", "operations"))
    books.accept("a")
    for _ in range(3):
        books.end("a", 2, Asked(a=1))
    assert number("monolayer_cost_dollars_total", part="nodes") - nodes == pytest.approx(6)
    assert number("monolayer_cost_dollars_total", part="operations") - operations == pytest.approx(3)


def test_room_for_an_upload_is_told_from_its_acceptance_on_and_by_an_heir_from_there_on() -> None:
    prices = Prices(place="here", storage={"bucket": _figure(2**30 * MONTH / 10)})  # a dollar a second for ten bytes
    for kept, dollars in ((None, 20 + 3), (Usage({"machine": 1}), 3)):
        books, before = Books(prices), number("monolayer_cost_dollars_total", part="storage")
        books.accept("a", kept, created=START - 20)
        books.end("a", 1)
        books.end("a", 2)
        assert number("monolayer_cost_dollars_total", part="storage") - before == pytest.approx(dollars)


def test_without_prices_usage_is_counted_and_no_dollars_are_told() -> None:
    books, before = Books(None), number("monolayer_cost_dollars_total", part="nodes")
    books.accept("a")
    books.end("a", 1)
    assert (books.seconds("a"), books.dollars("a")) == (1, None)
    assert number("monolayer_cost_dollars_total", part="nodes") == before


def test_a_job_that_nobody_counts_here_costs_its_owner_nothing(books: Books) -> None:
    books.end("unknown", 1)
    assert (books.owed("unknown"), books.dollars("unknown")) == (Usage(), None)
    books.accept("a")
    books.end("a", 1)
    books.close("a")
    assert books.owed("a") == Usage()


def test_a_jobs_upload_takes_room_for_as_long_as_it_runs() -> None:
    prices = Prices(place="here", nodes={"machine": _figure(0)}, storage={"bucket": _figure(0.02)})
    job = Job(job="a", name="n", object="o", etag="e", size=500 * 2**30, model="nuclei", model_digest="d")
    found = of(job, Usage({"machine": 1}), 73 * 3600, prices)  # a tenth of a month
    assert found.dollars == pytest.approx(500 * 0.02 / 10)
