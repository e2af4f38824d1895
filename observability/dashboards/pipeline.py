"""The first page to look at: does it move, what waits, and what is the time spent on."""

from observability.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit
from observability.dashboards.promql import GIGABYTE, highest, lowest, rate, summed

_MOVING = Row(
    "Does it move?",
    (
        Panel(
            "Images ended",
            "How many images come to their end in a second?",
            (Query(rate("monolayer_images_ended_total", "outcome"), "{{outcome}}"),),
            Unit.PER_SECOND,
            Kind.STACKED,
            "Nothing here while something waits beside it: something stands still.",
        ),
        Panel(
            "Waiting",
            "How many events wait, and for which stage?",
            (Query(summed(highest("monolayer_lag_events", "stage", "lane"), "stage"), "{{stage}}"),),
            Unit.NUMBER,
            Kind.STACKED,
            "It should fall while images end. A gap means that nobody can tell.",
        ),
        Panel(
            "Time to work it off",
            "How long will what waits take, if nothing else comes?",
            (
                Query(
                    highest("monolayer_backlog_seconds", "stage"),
                    "{{stage}}",
                    "before any stage had more to do than it could do at once",
                ),
            ),
            Unit.SECONDS,
        ),
        Panel(
            "Oldest in the queue",
            "For how long has the oldest event waited?",
            (Query(highest("monolayer_oldest_event_seconds", "stage"), "{{stage}}"),),
            Unit.SECONDS,
            reading="A line that climbs as fast as the clock is a stage that does nothing.",
        ),
    ),
)
_WORK = Row(
    "Where does the time go?",
    (
        Panel(
            "Work by phase",
            "On what do the workers spend their time?",
            (Query(rate("monolayer_phase_seconds_sum", "phase"), "{{phase}}"),),
            Unit.WORKERS,
            Kind.STACKED,
            "Much `model` is well: that is the work. Much `wait` or `take`: too few slots, or too little of Triton. "
            "Much `fetch`, `store` or `announce`: the bucket or Kafka is slow. It is told when an event is finished.",
        ),
        Panel(
            "In work",
            "How much is being worked on right now?",
            (
                Query(summed("monolayer_in_flight_events", "stage"), "{{stage}}"),
                Query(summed("monolayer_waiting_events"), "taken on, waiting for a slot"),
            ),
            Unit.NUMBER,
            Kind.STACKED,
        ),
    ),
)
_PARTS = Row(
    "Is a part away?",
    (
        Panel(
            "Processes that answer",
            "Do all processes answer?",
            (
                Query('sum(up{job=~"monolayer.*"})', "answer"),
                Query('count(up{job=~"monolayer.*"})', "should"),
            ),
            Unit.NUMBER,
            reading="Two lines where there should be one: `monolayer status` names who is away.",
            width=4,
        ),
        Panel(
            "Attempts that failed",
            "Does work fail, and is it the work or a part that is away?",
            (Query(rate("monolayer_retries_total", "stage", "cause"), "{{stage}}, {{cause}}", "while nothing fails"),),
            Unit.PER_SECOND,
            reading="`outage`: a part is away, and nothing is rejected for it. `error`: anything else.",
            width=4,
        ),
        Panel(
            "Taken for away, or held",
            "Does work wait because Triton is away or a model is held?",
            (
                Query(highest("monolayer_breaker_open"), "Triton is away"),
                Query(highest("monolayer_model_held", "model"), "{{model}} is held", "before the first sweep"),
            ),
            Unit.NUMBER,
            reading="0 is well. `monolayer release NAME` lets a held model go on.",
            width=4,
        ),
    ),
)
_WATCHING = Row(
    "Is there room, and is what we see true?",
    (
        Panel(
            "Free disk",
            "How much room is left for images, results and what is measured?",
            (
                Query(f"{highest('vm_free_disk_space_bytes')} / {GIGABYTE}", "this machine", "in a cluster"),
                Query(
                    f"{lowest('kubelet_volume_stats_available_bytes', 'persistentvolumeclaim')} / {GIGABYTE}",
                    "{{persistentvolumeclaim}}",
                    "on one machine",
                ),
            ),
            Unit.GIGABYTES,
        ),
        Panel(
            "Spans lost",
            "Do traces get lost on their way?",
            (Query(rate("monolayer_spans_dropped_total"), "lost"),),
            Unit.PER_SECOND,
            reading="0 is well; else Jaeger is away or full, and only traces suffer.",
        ),
    ),
)
PIPELINE = Dashboard("pipeline", "Pipeline", (_MOVING, _WORK, _PARTS, _WATCHING))
