"""What it costs: by the price file that is named, and by what is asked of the object store."""

from observability.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit
from observability.dashboards.promql import MEGABYTE, highest, mean, rate

_UNPRICED = "where no price file is named (MONOLAYER_PRICES)"

_DOLLARS = Row(
    "What does it cost?",
    (
        Panel(
            "Dollars an hour",
            "What does the work cost now, and for what?",
            (Query(f"3600 * {rate('monolayer_cost_dollars_total', 'part')}", "{{part}}", _UNPRICED),),
            Unit.DOLLARS,
            Kind.STACKED,
            "Counted as images end: while none ends nothing is counted, though the machines cost on.",
        ),
        Panel(
            "A million images",
            "What would a million images cost, at the price of those that end now?",
            (
                Query(
                    f"1e6 * {mean('monolayer_cost_dollars_total', 'monolayer_images_ended_total')}",
                    "dollars",
                    _UNPRICED,
                ),
            ),
            Unit.DOLLARS,
        ),
        Panel(
            "Jobs",
            "What has each job cost so far?",
            (Query(highest("monolayer_job_cost_dollars", "job"), "{{job}}", _UNPRICED),),
            Unit.DOLLARS,
            reading="A job with a budget is held when it has cost that much.",
        ),
        Panel(
            "Budgets spent",
            "How many jobs were held because they have cost what they may?",
            (Query(rate("monolayer_budgets_spent_total"), "jobs"),),
            Unit.PER_SECOND,
        ),
    ),
)
_STORE = Row(
    "What is asked of the object store?",
    (
        Panel(
            "Requests",
            "How many requests does the object store answer, by the class that clouds bill?",
            (Query(rate("monolayer_store_operations_total", "class"), "{{class}}"),),
            Unit.PER_SECOND,
            Kind.STACKED,
            "A: puts and lists, ten times as dear as B: gets and heads.",
        ),
        Panel(
            "Bytes",
            "How many bytes go to the object store, and come from it?",
            (Query(f"{rate('monolayer_store_bytes_total', 'direction')} / {MEGABYTE}", "{{direction}}"),),
            Unit.MEGABYTES_PER_SECOND,
        ),
    ),
)

COST = Dashboard("cost", "Cost", (_DOLLARS, _STORE))
