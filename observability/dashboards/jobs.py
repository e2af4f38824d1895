"""Jobs, for whoever waits for one: how far it is, and what does not become labels."""

from observability.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit
from observability.dashboards.promql import highest, rate, summed

_NO_JOB = "while no job is open"

_PROGRESS = Row(
    "How far are the jobs?",
    (
        Panel(
            "Images to be done",
            "How many images of each job are still on their way?",
            (Query(summed('monolayer_job_images{state="in_flight"}', "job"), "{{job}}", _NO_JOB),),
            Unit.NUMBER,
            Kind.STACKED,
            "Of the newest 20 that have not ended; `monolayer jobs` lists all.",
        ),
        Panel(
            "Images by state",
            "What has become of the images of the jobs that are open?",
            (Query(summed("monolayer_job_images", "state"), "{{state}}", _NO_JOB),),
            Unit.NUMBER,
            Kind.STACKED,
        ),
        Panel(
            "Time to go",
            "How long will images still wait, by lane?",
            (
                Query(
                    highest('monolayer_backlog_seconds{stage=~"tile|predict|postprocess"}', "lane"),
                    "{{lane}}",
                    "before there was a queue",
                ),
            ),
            Unit.SECONDS,
            reading="The last image of a large job ends after about so long; those of small jobs go by the other lane.",
        ),
        Panel(
            "Images ended",
            "How many images end, in which lane and how?",
            (Query(rate("monolayer_images_ended_total", "lane", "outcome"), "{{lane}}, {{outcome}}"),),
            Unit.PER_SECOND,
            Kind.STACKED,
        ),
    ),
)
_REJECTED = Row(
    "What does not become labels?",
    (
        Panel(
            "Rejections",
            "Why are images rejected?",
            (
                Query(
                    rate('monolayer_images_ended_total{outcome="rejected"}', "reason"),
                    "{{reason}}",
                    "while none is rejected",
                ),
            ),
            Unit.PER_SECOND,
            Kind.STACKED,
            "bad_input, too_large, unsupported: the files. model_error, killed, infrastructure: us. timeout: its "
            "deadline had passed. `monolayer rejected JOB` names each image.",
        ),
        Panel(
            "Set aside",
            "Do messages come that nobody can answer?",
            (Query(rate("monolayer_messages_quarantined_total"), "set aside"),),
            Unit.PER_SECOND,
            reading="0 is well; they lie below `quarantine/` in the bucket.",
        ),
    ),
)
JOBS = Dashboard("jobs", "Jobs", (_PROGRESS, _REJECTED))
