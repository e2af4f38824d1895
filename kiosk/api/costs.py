"""What a job costs, as the API tells it."""

from kiosk.contract import CostView
from observability import cost
from observability.cost import Prices
from streams.jobs import accounts
from streams.jobs.records import Job, JobState


def view(job: Job, state: JobState, prices: Prices | None) -> CostView | None:
    """The cost so far and of all images; none without prices, and before anything was counted."""
    if prices is None or state.usage is None:
        return None
    found, ended = accounts.of(job, state.usage, state.seconds, prices), state.usage.images
    over = state.state == "done"
    return CostView(
        dollars=found.dollars,
        at_completion=found.dollars if over else cost.of_images(found.dollars, ended, state.images),
        per_million=cost.of_images(found.dollars, ended, cost.MILLION),
        parts=dict(found.parts),
        without=list(found.without),
        prices=f"{prices.place}, as of {prices.dated}",
    )
