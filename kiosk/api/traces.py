"""Where an image's time went: its trace, and a job's own with its slowest images."""

import time
from collections.abc import Sequence
from heapq import nlargest
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from kiosk.api.jaeger import Keeps, Told
from kiosk.api.problems import Trouble
from kiosk.api.tools import Given, Tools
from kiosk.traces import JobTraceView, SlowImage, SpanView, TraceView
from observability.tracing import trace_id
from streams.jobs import ledger

SLOWEST = 10
LOOKED_AT = 500
"""Traces among which the slowest are looked for: those of a job's first images, where there are more."""
OFF = "Traces are not kept here: start it with `monolayer up --observe`, or set MONOLAYER_TRACES and MONOLAYER_JAEGER."


def router() -> APIRouter:
    """The endpoints that tell where time went."""
    routes = APIRouter(tags=["traces"])
    routes.add_api_route("/jobs/{job}/trace", of_job, methods=["GET"])
    routes.add_api_route("/jobs/{job}/images/{image}/trace", of_image, methods=["GET"])
    return routes


def of_image(job: str, image: int, tools: Given, round: Annotated[int | None, Query(ge=0)] = None) -> TraceView:
    """One image's trace in one round of its job; without a round, in the last that there is a trace of."""
    kept = _kept(tools)
    ledger.read_job(tools.store, job)
    newest = max((each.round for each in ledger.read_rounds(tools.store, job)), default=0)
    for number in [round] if round is not None else range(newest, -1, -1):
        if found := kept.trace(trace_id(job, image, number)):
            return _view(found)
    raise Trouble(
        HTTPStatus.NOT_FOUND,
        f"There is no trace of image {image} of job {job}: it has not ended yet, or its trace was not kept",
    )


def of_job(job: str, tools: Given) -> JobTraceView:
    """A job's own trace, as far as there is one, and the slowest of its images that have ended."""
    kept = _kept(tools)
    accepted = ledger.read_job(tools.store, job)
    roots = kept.images(accepted.created - 1, time.time() + 1, LOOKED_AT)
    ours = [root for root in roots if root.about.get("job") == job]
    slowest = nlargest(SLOWEST, ours, key=lambda root: root.ended - root.begun)
    return JobTraceView(**_view(kept.trace(trace_id(job))).model_dump(), slowest=[_slow(root) for root in slowest])


def _kept(tools: Tools) -> Keeps:
    if tools.traces is None:
        raise Trouble(HTTPStatus.NOT_IMPLEMENTED, OFF)
    return tools.traces


def _view(spans: Sequence[Told]) -> TraceView:
    begun, ended = min((span.begun for span in spans), default=0), max((span.ended for span in spans), default=0)
    views = [
        SpanView(
            span=span.span,
            parent=span.parent,
            name=span.name,
            after=(span.begun - begun) / 1e9,
            seconds=(span.ended - span.begun) / 1e9,
            about=span.about,
        )
        for span in spans
    ]
    trace = spans[0].trace if spans else ""
    return TraceView(trace=trace, begun=begun / 1e9, seconds=(ended - begun) / 1e9, spans=views)


def _slow(root: Told) -> SlowImage:
    about = root.about
    return SlowImage(
        image=int(about.get("image", "0")),
        name=about.get("name", ""),
        round=int(about.get("round", "0")),
        seconds=(root.ended - root.begun) / 1e9,
        outcome=about.get("outcome", ""),
        attempts=int(about.get("attempts", "1")),
    )
