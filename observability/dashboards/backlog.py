"""Kafka: what comes, what is finished, what waits, and whether anybody can tell."""

from observability.dashboards.panels import Dashboard, Panel, Query, Row, Unit
from observability.dashboards.promql import highest, lowest, rate

_BY = ("stage", "lane")
_LINE = "{{stage}}, {{lane}}"

_FLOW = Row(
    "Does more come than is finished?",
    (
        Panel(
            "Arriving",
            "How many events come for each stage?",
            (Query(highest("monolayer_arrival_events_per_second", *_BY), _LINE),),
            Unit.PER_SECOND,
        ),
        Panel(
            "Finished",
            "How many events does each stage finish?",
            (Query(highest("monolayer_service_events_per_second", *_BY), _LINE),),
            Unit.PER_SECOND,
            reading="Less than arrives, for long: the stage needs more workers, or what it waits for is slow.",
        ),
        Panel(
            "Waiting",
            "What waits, for which stage and in which lane?",
            (Query(highest("monolayer_lag_events", *_BY), _LINE),),
            Unit.NUMBER,
        ),
        Panel(
            "Small jobs and large ones",
            "Are small jobs held up by large ones?",
            (Query(highest('monolayer_oldest_event_seconds{lane!="all"}', "lane"), "{{lane}}"),),
            Unit.SECONDS,
            reading="The oldest of `interactive` stays at seconds, however old that of `bulk` is.",
        ),
    ),
)
_TRUST = Row(
    "Can the numbers be trusted?",
    (
        Panel(
            "Backlog known",
            "Can anybody tell what waits?",
            (Query(lowest("monolayer_backlog_known", "stage"), "{{stage}}"),),
            Unit.NUMBER,
            reading="1 is well. At 0 the broker is away, and scaling holds still.",
        ),
        Panel(
            "Taken and announced",
            "How many events do the workers take on and send?",
            (
                Query(rate("monolayer_events_taken_total", "stage"), "{{stage}}, taken on"),
                Query(rate("monolayer_events_announced_total", "stage"), "{{stage}}, sent"),
            ),
            Unit.PER_SECOND,
            reading="More taken on than finished: events are delivered again, because workers come and go.",
        ),
    ),
)
BACKLOG = Dashboard("backlog", "Kafka and backlog", (_FLOW, _TRUST))
