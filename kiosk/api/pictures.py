"""One image of a job for whoever looks at it: its overlay, its pixels, its labels and the table of its cells."""

import gzip
import io
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from numpy.typing import NDArray

from kiosk.api.problems import Trouble
from kiosk.api.threads import drawn
from kiosk.api.tools import Given, Tools
from kiosk.contract import CellsView
from storage import keys
from storage.images import read_image
from storage.labels import Labels, read_labels
from storage.objects import Changed, NotFound
from storage.overlays import LONGEST, fitting, overlay_png, thinned
from storage.sources import read_source
from storage.unreadable import Unreadable
from streams.jobs import ledger
from streams.jobs.records import Entry

KEPT = {"Cache-Control": "private, max-age=86400"}
"""The labels of an image never change, so browsers may keep what is drawn from them."""
NUMPY = "application/x-npy"
Plane = Annotated[int, Query(ge=0)]
Longest = Annotated[int, Query(ge=16, le=8192)]
_OK = HTTPStatus.OK.value


def router() -> APIRouter:
    """The endpoints that show one image."""
    routes = APIRouter(prefix="/jobs/{job}/images/{image}", tags=["images"])
    for path, endpoint, kind in (
        ("/overlay", overlay, "image/png"),
        ("/pixels", pixels, NUMPY),
        ("/labels", labels, NUMPY),
        ("/labels.tif", labels_file, "image/tiff"),
    ):
        told: dict[int | str, dict[str, Any]] = {_OK: {"content": {kind: {}}}}
        routes.add_api_route(path, drawn(endpoint), methods=["GET"], response_class=Response, responses=told)
    routes.add_api_route("/cells", drawn(cells), methods=["GET"])
    return routes


def overlay(job: str, image: int, tools: Given, plane: Plane = 0, longest: Longest = LONGEST) -> Response:
    """The outlines of its cells over one plane of the image, as PNG."""
    with tools.drawing:
        found = _labelled(tools, job, image)
        png = overlay_png(_plane(_original(tools, found), plane), _plane(found.labels.labels, plane), longest)
    return Response(png, media_type="image/png", headers=KEPT)


def pixels(job: str, image: int, tools: Given, plane: Plane = 0, longest: Longest = 4096) -> Response:
    """One plane's pixels as they were measured, in NumPy's format; made smaller where a side is longer."""
    with tools.drawing:
        found = _labelled(tools, job, image)
        data = _npy(fitting(_plane(_original(tools, found), plane), longest))
    return Response(data, media_type=NUMPY, headers=KEPT)


def labels(job: str, image: int, tools: Given, request: Request, plane: Plane = 0, longest: Longest = 4096) -> Response:
    """One plane's labels in NumPy's format, with as many rows and columns as its pixels; 0 is background."""
    headers = KEPT | {"Vary": "Accept-Encoding"}
    with tools.drawing:
        found = _labelled(tools, job, image)
        data = _npy(thinned(_plane(found.labels.labels, plane), longest))
        if "gzip" in request.headers.get("accept-encoding", ""):
            data, headers = gzip.compress(data, 1, mtime=0), headers | {"Content-Encoding": "gzip"}
    return Response(data, media_type=NUMPY, headers=headers)


def labels_file(job: str, image: int, tools: Given) -> Response:
    """The labels of all planes as they are stored, an OME-TIFF."""
    ledger.read_job(tools.store, job)
    return Response(_stored(tools, job, image), media_type="image/tiff", headers=KEPT)


def cells(job: str, image: int, tools: Given) -> CellsView:
    """What was measured of every cell of the image, by column."""
    with tools.drawing:
        found = _labelled(tools, job, image)
    planes, height, width = found.labels.labels.shape
    return CellsView(
        image=image,
        name=found.entry.name,
        planes=planes,
        height=height,
        width=width,
        pixel_size=found.labels.pixel_size,
        columns={name: column.tolist() for name, column in found.labels.cells.items()},
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A labelled image: where its file lies, which channel was used, and its labels."""

    entry: Entry
    channel: int | None
    labels: Labels


def _labelled(tools: Tools, job: str, image: int) -> _Found:
    channel = ledger.read_job(tools.store, job).options.channel
    data = _stored(tools, job, image)
    shard = ledger.read_shard(tools.store, job, image // keys.SHARD)
    entry = next(entry for entry in shard.images if entry.image == image)
    return _Found(entry, channel, read_labels(data))


def _stored(tools: Tools, job: str, image: int) -> bytes:
    try:
        return tools.store.get(keys.labels(job, image))
    except NotFound:
        raise Trouble(HTTPStatus.NOT_FOUND, f"Image {image} of job {job} has no labels, or not yet") from None


def _original(tools: Tools, found: _Found) -> NDArray[Any]:
    """The image's planes, decoded again; it was before, by a stage, or there were no labels."""
    try:
        data = read_source(tools.store, found.entry.source, found.entry.name)
        return read_image(data, found.entry.name, found.channel).planes
    except (NotFound, Changed, Unreadable) as error:
        what = f"The original of {found.entry.name} can't be read any more: {error}"
        raise Trouble(HTTPStatus.GONE, what) from error


def _plane(planes: NDArray[Any], plane: int) -> NDArray[Any]:
    if plane >= len(planes):
        raise Trouble(HTTPStatus.NOT_FOUND, f"The image has {len(planes)} planes, counted from 0, and no plane {plane}")
    chosen: NDArray[Any] = planes[plane]
    return chosen


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()
