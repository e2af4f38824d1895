"""What a job costs, in a line or two."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosk.contract import CostView, JobView


def lines(job: "JobView") -> "Iterator[str]":
    """The cost so far and in the end, and the budget; nothing where neither is known."""
    from observability.cost import words

    if job.cost:
        yield f"cost {words(job.cost.dollars)}{_expected(job, job.cost)}{_without(job.cost)} ({job.cost.prices})"
    if job.budget is not None:
        yield f"it is held when it has cost more than {words(job.budget)}"


def _expected(job: "JobView", cost: "CostView") -> str:
    from observability.cost import words

    million = f", {words(cost.per_million)} per million images" if cost.per_million is not None else ""
    if job.over or cost.at_completion is None:
        return million
    return f" so far, about {words(cost.at_completion)} in all{million}"


def _without(cost: "CostView") -> str:
    return f", without {', '.join(cost.without)}" if cost.without else ""
