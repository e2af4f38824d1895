"""A job's budget: how many dollars it may cost before it is held, and that somebody gave it more."""

import time
from collections.abc import Callable

from observability import metrics
from observability.cost import Prices, Usage, words
from observability.logs import log
from storage import keys
from storage.objects import Store
from streams.jobs import accounts, ledger, markers
from streams.jobs.records import Budget, Job


def read(store: Store, job: Job) -> float | None:
    """The dollars that a job may cost; none: as many as it takes."""
    if job.budget is None:
        return None
    more = ledger.read(store, keys.budget(job.job), Budget)
    return more.dollars if more else job.budget


def give(store: Store, job: Job, dollars: float, now: Callable[[], float] = time.time) -> None:
    """From now on the job may cost so much in all."""
    ledger.write(store, keys.budget(job.job), Budget(job=job.job, dollars=dollars, created=now()))


def watch(store: Store, job: Job, usage: Usage | None, now: float, prices: Prices | None) -> None:
    """Hold the job if it has cost more than it may."""
    budget = read(store, job)
    if budget is None:
        return
    if prices is None:
        log().warning("budget_without_prices", job=job.job, budget=budget)
        return
    dollars = accounts.of(job, usage, now - job.created, prices).dollars
    if dollars > budget:
        markers.hold(store, job.job, spent(dollars, budget, job.job), lambda: now)
        metrics.BUDGETS_SPENT.inc()
        log().info("budget_spent", job=job.job, budget=budget, dollars=dollars)


def spent(dollars: float, budget: float, job: str) -> str:
    """That a budget is spent, and what to do."""
    on = f"`monolayer release {job} --budget MORE` lets it go on"
    return f"its budget of {words(budget)} is spent, it has cost {words(dollars)}; {on}"
