"""What a job costs, through the API and on the command line; what a spent budget asks for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.commands.jobs import described
from kiosk.contract import CostView, JobView
from observability import cost
from observability.cost import Usage
from storage import keys
from storage.memory import MemoryStore
from streams.jobs import budgets, ledger, markers
from streams.jobs.records import Clock
from tests.kiosk.front import Bucket, InProcess, Told, app_of, finish, labels_of, made_job, serving, tiff
from tests.kiosk.test_cli import monolayer

V1 = "/api/v1"
FILES = {f"{number}.tif": b"a" for number in range(4)}
SPENT = 100 * 3600.0
"""Seconds of the machine: at 4.5 cents an hour 4.50 dollars."""
PRICES = cost.read("workstation")


class Priced:
    """A job `j1` of four images, one of them labelled, behind an API that knows prices."""

    def __init__(self, **fields: Any) -> None:
        self.store = MemoryStore()
        self.http = InProcess(app_of(self.store, prices=PRICES))
        make(self.store, **fields)

    @property
    def job(self) -> JobView:
        return JobView(**self.http.get(f"{V1}/jobs/j1").json())

    def release(self, **body: float) -> Any:
        return self.http.post(f"{V1}/jobs/j1/release", **({"json": body} if body else {}))


def make(store: MemoryStore, **fields: Any) -> None:
    made_job(store, FILES, **fields)
    store.put(keys.labels("j1", 0), labels_of(1, 40, 50))
    store.put(keys.tally("j1", "owner"), b"\0\0\0\1\1\0\0\0\0")
    ledger.write(store, keys.open_job("j1"), Clock(usage=Usage({"machine": SPENT}, {"A": 7}, images=1)))


def held(store: MemoryStore) -> None:
    markers.hold(store, "j1", budgets.spent(4.5, 4, "j1"))


def test_a_job_tells_what_it_costs_so_far_and_in_the_end() -> None:
    found = Priced().job.cost
    assert found is not None
    assert (found.dollars, found.at_completion, found.per_million) == pytest.approx((4.5, 18.0, 4.5e6))
    assert found.parts == pytest.approx({"nodes": 4.5, "operations": 0, "traffic": 0, "storage": 0})
    assert (found.without, found.prices) == ([], "our own workstation, as of 2026-11-28")


def test_images_that_ended_since_the_last_look_do_not_make_the_others_cheaper() -> None:
    priced = Priced()
    priced.store.put(keys.tally("j1", "owner"), b"\0\0\0\1\7\0\0\0\0")
    assert priced.job.labelled == 3
    assert priced.job.cost is not None and priced.job.cost.at_completion == pytest.approx(18.0)


def test_a_job_that_is_done_costs_what_it_has_cost() -> None:
    priced = Priced()
    finish(priced.store, "j1", lambda entry: labels_of(1, 40, 50))
    assert priced.job.cost is None  # nobody counted
    done = ledger.read_done(priced.store, "j1")
    assert done is not None
    ledger.write(priced.store, keys.done("j1"), done.model_copy(update={"usage": Usage({"machine": SPENT})}))
    found = priced.job.cost
    assert found is not None and (found.dollars, found.at_completion) == pytest.approx((4.5, 4.5))


def test_what_nobody_knows_is_named() -> None:
    priced = Priced()
    ledger.write(priced.store, keys.open_job("j1"), Clock(usage=Usage({"a1b2": 5})))
    assert priced.job.cost is not None and priced.job.cost.without == ["nodes"]


def test_without_prices_or_before_anything_was_counted_no_cost_is_told() -> None:
    priced = Priced()
    assert JobView(**InProcess(app_of(priced.store)).get(f"{V1}/jobs/j1").json()).cost is None
    ledger.write(priced.store, keys.open_job("j1"), Clock())
    assert priced.job.cost is None


def test_a_budget_needs_prices() -> None:
    told, store = Told(), MemoryStore()
    answer = InProcess(app_of(store, told)).post(f"{V1}/jobs?name=a.tif&budget=3", content=tiff())
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("A budget needs prices")
    assert not told.events


@pytest.mark.parametrize("whole", [True, False])
def test_a_budget_becomes_the_jobs(whole: bool) -> None:
    told, store = Told(), MemoryStore()
    http = InProcess(app_of(store, told, PRICES))
    if whole:
        http.post(f"{V1}/jobs?name=a.tif&budget=3", content=tiff())
    else:
        upload = http.post(f"{V1}/uploads", json={"name": "a.tif", "budget": 3}).json()["upload"]
        [part] = http.post(f"{V1}/uploads/{upload}/parts?count=1").json()
        etag = store.put_part(part["url"], tiff())
        http.post(f"{V1}/uploads/{upload}/complete", json={"parts": [{"number": 1, "etag": etag}]})
    [event] = told.events
    assert JobView(**http.get(f"{V1}/jobs/{event.job}").json()).budget == 3


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "1e12"])
def test_a_budget_that_can_not_be_meant_is_refused(budget: str) -> None:
    answer = InProcess(app_of(MemoryStore(), prices=PRICES)).post(f"{V1}/jobs?name=a.tif&budget={budget}", content=b"x")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Budget is")


def test_a_spent_budget_is_not_released_without_a_larger_one() -> None:
    priced = Priced(budget=4)
    held(priced.store)
    for body in ({}, {"budget": 4.2}):
        answer = priced.release(**body)
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("Job j1 stays held: its budget of $4.")
    assert priced.job.held
    assert priced.release(budget=9).status_code == 204
    assert (priced.job.held, priced.job.budget) == ("", 9)


def test_a_job_that_somebody_else_held_is_released_as_ever() -> None:
    priced = Priced(budget=20)
    held(priced.store)
    assert priced.release().status_code == 204
    assert (priced.job.held, priced.job.budget) == ("", 20)


def test_a_job_that_came_without_a_budget_is_given_none() -> None:
    priced = Priced()
    held(priced.store)
    answer = priced.release(budget=9)
    assert answer.status_code == 409
    assert "without a budget" in answer.json()["detail"]


def view(**fields: Any) -> JobView:
    known = {"job": "j", "name": "p.zip", "model": "nuclei", "created": 0, "state": "running", "images": 1000}
    return JobView(**known | {"labelled": 150, "rejected": 0, "cancelled": 0, "in_flight": 850, "seconds": 9} | fields)


def money(**fields: Any) -> CostView:
    known = {"dollars": 3.0, "at_completion": 20.0, "per_million": 20_000.0, "parts": {}, "prices": "GKE, as of today"}
    return CostView(**known | fields)


def test_show_tells_the_cost_in_a_line_and_the_budget_in_another() -> None:
    lines = described(view(cost=money(without=["nodes", "traffic between zones"]), budget=50))
    assert (
        "cost $3.00 so far, about $20.00 in all, $20,000.00 per million images, without nodes, traffic between zones "
        "(GKE, as of today)"
    ) in lines
    assert "it is held when it has cost more than $50.00" in lines
    over = described(view(state="done", cost=money(at_completion=3.0)))
    assert "cost $3.00, $20,000.00 per million images (GKE, as of today)" in over
    assert not [line for line in described(view()) if "cost" in line]


@pytest.fixture(scope="module")
def priced() -> Iterator[tuple[str, Bucket]]:
    store = Bucket()
    with serving(app_of(store, prices=PRICES)) as address:
        store.address = address
        yield address, store


def test_the_command_line_gives_a_held_job_more(priced: tuple[str, Bucket]) -> None:
    address, store = priced
    make(store, budget=4)
    held(store)
    refused = monolayer("release", "j1", api=address)
    assert refused.exit_code == 1
    assert "`monolayer release j1 --budget MORE` lets it go on." in refused.stderr
    assert monolayer("release", "j1", "--budget", 0, api=address).exit_code == 1
    assert monolayer("release", "j1", "--budget", 9, api=address).stdout == "The job j1 is released.\n"
    told = json.loads(monolayer("show", "j1", "--json", api=address).stdout)
    assert (told["budget"], told["cost"]["dollars"]) == (9, pytest.approx(4.5))
    assert "cost $4.50 so far, about $18.00 in all" in monolayer("show", "j1", api=address).stdout


def test_the_command_line_submits_with_a_budget(priced: tuple[str, Bucket], tmp_path: Any) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())
    result = monolayer("submit", tmp_path / "a.tif", "--budget", 2.5, "--json", api=priced[0])
    job = json.loads(result.stdout)["job"]
    assert json.loads(monolayer("show", job, "--json", api=priced[0]).stdout)["budget"] == 2.5


def test_only_jobs_have_a_budget(priced: tuple[str, Bucket]) -> None:
    markers.hold(priced[1], f"{keys.MODEL}{'e' * 64}", "Every image fails.")
    result = monolayer("release", "e" * 64, "--budget", 2, api=priced[0])
    assert "only jobs have a budget" in result.stderr
