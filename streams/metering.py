"""What the metrics are told where it takes more than a line."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from inference.triton import ModelFailed, ModelUnavailable
from observability import metrics
from streams.events import ImageEnded, Lane, ReasonClass
from streams.tracing.spent import Spent


def begin() -> None:
    """Let what alerts count stand at zero, so that the first one is seen as an increase."""
    for lane in Lane:
        metrics.DECODER_DEATHS.labels(lane)
        metrics.ENDED.labels(lane, "labelled", metrics.NO_REASON)
        for reason in get_args(ReasonClass):
            metrics.ENDED.labels(lane, "rejected", reason)


def finished(labels: tuple[str, str], spent: Spent, seconds: float) -> None:
    """An event was answered, with all that follows from it announced."""
    metrics.EVENT_SECONDS.labels(*labels).observe(seconds)
    for phase, each in spent.items():
        metrics.PHASE_SECONDS.labels(*labels, phase).observe(each)


def ended(image: ImageEnded, attempts: int) -> None:
    """An image came to its end here."""
    metrics.ENDED.labels(image.lane, image.outcome, image.reason or metrics.NO_REASON).inc()
    metrics.ATTEMPTS.labels(image.outcome).observe(attempts)


@contextmanager
def requested(model: str) -> Iterator[None]:
    """A request to Triton is under way until the block ends."""
    begun, answer = time.perf_counter(), "abandoned"
    try:
        yield
        answer = "maps"
        metrics.REQUEST_SECONDS.labels(model).observe(time.perf_counter() - begun)
    except Exception as error:
        answer = _answer(error)
        raise
    finally:
        metrics.REQUESTS.labels(model, answer).inc()


def _answer(error: Exception) -> str:
    match error:
        case ModelUnavailable():
            return "away"
        case ModelFailed():
            return "refused"
    return "stumbled"
