"""The front door: does the API answer, and fast enough."""

from observability.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit
from observability.dashboards.promql import quantile, rate

_UNASKED = "while nobody asks"

_API = Row(
    "Does the API answer?",
    (
        Panel(
            "Answers",
            "What does the API answer?",
            (Query(rate("monolayer_api_requests_total", "status"), "{{status}}"),),
            Unit.PER_SECOND,
            Kind.STACKED,
            "4xx: whoever asked. 5xx: us, or a part that is away.",
        ),
        Panel(
            "Failures",
            "Which requests fail on our side?",
            (
                Query(
                    rate('monolayer_api_requests_total{status=~"5.."}', "method", "route"),
                    "{{method}} {{route}}",
                    "while none fails",
                ),
            ),
            Unit.PER_SECOND,
        ),
        Panel(
            "Seconds of an answer",
            "Which requests are slow?",
            (
                Query(
                    quantile(0.95, "monolayer_api_request_seconds", "method", "route"), "{{method}} {{route}}", _UNASKED
                ),
            ),
            Unit.SECONDS,
            reading="95 of 100 take no longer. Fetching results takes as long as they are large.",
            width=12,
        ),
    ),
)
API = Dashboard("api", "API", (_API,))
