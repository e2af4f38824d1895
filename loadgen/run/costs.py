"""What a run has cost: what its jobs say that they used, by a price file."""

from collections.abc import Sequence
from typing import Any

from loadgen.run.ends import Ends
from loadgen.run.journal import Sent
from observability import cost
from observability.cost import Prices, Usage


def costs(sent: Sequence[Sent], ends: Ends, prices: Prices | None) -> dict[str, Any]:
    """What was used, and dollars by part, where there are prices; what no job has told yet is not in it."""
    usage = Usage()
    for each in sent:
        if (job := ends.get(each.job)) and job.usage:
            room = Usage(stored=each.size * max(0.0, job.finished - job.created))
            usage = usage.plus(job.usage).plus(room)
    used = {
        "images": usage.images,
        "node_s": dict(usage.nodes),
        "operations": dict(usage.operations),
        "traffic_bytes": dict(usage.traffic),
    }
    if prices is None:
        return {"used": used}
    found = cost.price(usage, prices)
    return {
        "used": used,
        "dollars": found.dollars,
        "dollars_per_million": cost.of_images(found.dollars, usage.images, cost.MILLION),
        "parts": dict(found.parts),
        "without": list(found.without),
        "prices": f"{prices.place}, as of {prices.dated}",
    }
