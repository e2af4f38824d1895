"""One image's life: how long each part of its way takes, and how often it has to be tried again."""

from observability.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit
from observability.dashboards.promql import highest, mean, quantile, rate

_WORKED = 'stage=~"tile|predict|postprocess"'
"""The stages that touch pixels; one chain, unless the image is large."""
_UNWORKED = "while no image ends"


def _way(share: float, words: str) -> Panel:
    return Panel(
        f"Seconds by phase, {words}",
        f"Which phase of an image's way is slow, for {words}?",
        (Query(quantile(share, "monolayer_phase_seconds", "phase", where=_WORKED), "{{phase}}", _UNWORKED),),
        Unit.SECONDS,
        reading="wait: for a slot. fetch, decode: the file. take, model: Triton. post: labels and measures. store: the "
        "result. pause: before reading or trying again. `monolayer trace JOB IMAGE` tells it of one image.",
    )


_TIMES = Row(
    "How long does an image take?",
    (
        _way(0.5, "every other image"),
        _way(0.95, "the slowest of twenty"),
        Panel(
            "Seconds by stage",
            "How long is an event in work at each stage?",
            (
                Query(quantile(0.5, "monolayer_event_seconds", "stage"), "{{stage}}, half", _UNWORKED),
                Query(quantile(0.95, "monolayer_event_seconds", "stage"), "{{stage}}, 95 of 100", _UNWORKED),
            ),
            Unit.SECONDS,
        ),
        Panel(
            "Longest in work",
            "Does an event hang?",
            (Query(highest("monolayer_oldest_in_flight_seconds", "stage"), "{{stage}}"),),
            Unit.SECONDS,
            reading="At 300 s it is given up and tried again, and in the end rejected as `timeout`.",
        ),
    ),
)
_TRIES = Row(
    "How often is it tried?",
    (
        Panel(
            "Attempts",
            "How many attempts does an image take?",
            (
                Query(
                    mean("monolayer_image_attempts_sum", "monolayer_image_attempts_count", "outcome"),
                    "{{outcome}}",
                    _UNWORKED,
                ),
            ),
            Unit.NUMBER,
            reading="1 is well.",
            width=4,
        ),
        Panel(
            "Attempts that failed",
            "At which stage do attempts fail?",
            (Query(rate("monolayer_retries_total", "stage", "cause"), "{{stage}}, {{cause}}", "while nothing fails"),),
            Unit.PER_SECOND,
            width=4,
        ),
        Panel(
            "Decoders that died",
            "Do images kill what reads them?",
            (Query(rate("monolayer_decoder_deaths_total", "lane"), "{{lane}}", "while none does"),),
            Unit.PER_SECOND,
            Kind.STACKED,
            "After three deaths an image is rejected as `killed`; `monolayer rejected JOB` names it.",
            width=4,
        ),
    ),
)
IMAGE = Dashboard("image", "One image's life", (_TIMES, _TRIES))
