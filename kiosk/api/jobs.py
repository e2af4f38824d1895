"""Jobs, as the bucket tells them: nothing here remembers anything that could be wrong."""

import asyncio
from collections.abc import AsyncIterable
from heapq import nlargest
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from kiosk.api import costs, trust
from kiosk.api.outcome import fate_of, read_results
from kiosk.api.results import as_zip
from kiosk.api.tools import Given, Tools
from kiosk.contract import MOST_JOBS, MOST_REJECTED, Doubts, Format, ImagePage, ImageView, JobView, RejectedImage
from observability.tracing import trace_id
from storage import keys
from storage.objects import NotFound, Store, StoreError
from streams.events import ReasonClass, Rejection
from streams.jobs import budgets, ledger
from streams.jobs.records import Entry, Job, ManifestIndex


def router() -> APIRouter:
    """The endpoints that tell about jobs."""
    routes = APIRouter(tags=["jobs"])
    routes.add_api_route("/jobs", newest, methods=["GET"])
    routes.add_api_route("/jobs/{job}", one, methods=["GET"])
    routes.add_api_route("/jobs/{job}/rejected", rejected, methods=["GET"])
    routes.add_api_route("/jobs/{job}/doubtful", doubtful, methods=["GET"])
    routes.add_api_route("/jobs/{job}/images", images, methods=["GET"])
    routes.add_api_route("/jobs/{job}/progress", progress, methods=["GET"], response_class=EventSourceResponse)
    zipped: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
    }
    routes.add_api_route(
        "/jobs/{job}/results", results, methods=["GET"], response_class=StreamingResponse, responses=zipped
    )
    return routes


def newest(
    tools: Given, limit: Annotated[int, Query(ge=1, le=MOST_JOBS)] = 20, after: str | None = None
) -> list[JobView]:
    """Jobs, the newest first; with `after`, those that come after that job."""
    known = tools.holdings.jobs(tools.caller)
    if after is not None:
        last = _age(tools.holdings.job(after, tools.caller))
        known = [job for job in known if _age(job) < last]
    return [view(tools, job.job) for job in nlargest(limit, known, key=_age)]


def _age(job: Job) -> tuple[float, str]:
    return job.created, job.job


def one(job: str, tools: Given) -> JobView:
    """Where a job stands."""
    return view(tools, job)


def rejected(
    job: str,
    tools: Given,
    reason: ReasonClass | None = None,
    first: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_REJECTED)] = 1000,
) -> list[RejectedImage]:
    """Images of a job that have no labels, and why; those of one reason class, or from an image's number on."""
    ledger.read_job(tools.store, job)
    stories = (story for story in ledger.rejections(tools.store, job, first) if reason in (None, story.reason))
    return [_told(story) for story in islice(stories, limit)]


def doubtful(job: str, tools: Given) -> Doubts:
    """Labelled images that deserve a look before they are believed, among the first 2,000 of a job."""
    known = ledger.read_job(tools.store, job)
    over = ledger.state(tools.store, job).state == "done"
    fates = ledger.tallied(tools.store, job)
    labelled = (
        entry for entry in ledger.entries(tools.store, job) if fate_of(fates, entry.image, over) == "labelled"
    )  # fmt: skip
    return trust.doubts(tools.store, known, list(islice(labelled, trust.LOOKED_AT)))


def images(
    job: str,
    tools: Given,
    first: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ImagePage:
    """Images of a job and what became of each."""
    over = ledger.state(tools.store, job).state == "done"
    index = ledger.read_index(tools.store, job)
    if index is None:
        return ImagePage(total=None, first=first, images=[])
    fates = ledger.tallied(tools.store, job)
    views = [
        ImageView(image=entry.image, name=entry.name, size=entry.source.size, fate=fate_of(fates, entry.image, over))
        for entry in _entries(tools.store, index, first, first + count)
    ]
    return ImagePage(total=index.images, first=first, images=views)


async def progress(job: str, tools: Given) -> AsyncIterable[JobView]:
    """The job's state once a second until it is done, as server-sent events."""
    now = await run_in_threadpool(view, tools, job)
    yield now
    while not now.over:
        await asyncio.sleep(tools.tick)
        try:
            now = await run_in_threadpool(view, tools, job)
        except StoreError:
            continue
        yield now


def results(job: str, tools: Given, format: Annotated[frozenset[Format], Query()] = frozenset()) -> StreamingResponse:
    """Labels, overlays, the table of cells and the manifest, as one zip; in other formats too, if asked for."""
    found = read_results(tools.store, job, format)
    headers = {"Content-Disposition": f'attachment; filename="{found.job.job}.zip"'}
    pieces = tools.zips.stream(as_zip(found, tools.store, tools.models, tools.drawing))
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def view(tools: Tools, job: str) -> JobView:
    """The job's state with what was asked for and what it costs; raises `NoSuchJob`."""
    accepted, state = ledger.read_job(tools.store, job), ledger.state(tools.store, job)
    return JobView(
        **state.model_dump(exclude={"usage"}),
        options=accepted.options,
        refused=accepted.refused,
        cost=costs.view(accepted, state, tools.prices),
        budget=budgets.read(tools.store, accepted),
    )


def _told(story: Rejection) -> RejectedImage:
    known = story.model_dump(include=set(RejectedImage.model_fields))
    return RejectedImage(**known, trace=_trace(story))


def _trace(story: Rejection) -> str:
    """The id of the image's trace, as it travelled or as anyone can derive it."""
    travelled = story.traceparent.split("-")
    return travelled[1] if len(travelled) == 4 else f"{trace_id(story.job, story.image, story.round):032x}"


def _entries(store: Store, index: ManifestIndex, first: int, last: int) -> list[Entry]:
    shards = range(first // keys.SHARD, min(index.shards, -(-last // keys.SHARD)))
    found = (entry for shard in shards for entry in _shard(store, index.job, shard))
    return [entry for entry in found if first <= entry.image < last]


def _shard(store: Store, job: str, shard: int) -> list[Entry]:
    try:
        return ledger.read_shard(store, job, shard).images
    except NotFound:
        return []
