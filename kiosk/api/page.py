"""The web page, served at `/`: a folder of files that `make web` has built, kept in memory and sent compressed."""

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from kiosk.api.headers import page_policy
from kiosk.api.problems import problem

INDEX = "index.html"
NOT_BUILT = (
    "The web page is not built. `make web` builds it in a minute, with a Node of its own; then start Monolayer again. "
    "Everything else works: `monolayer submit`, and the API at /api/v1/docs.\n"
)
_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSED = 512
"""Files of fewer bytes are not worth it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page, as it is and compressed."""

    data: bytes
    packed: bytes
    kind: str


Page = Mapping[str, File]
"""By path below `/`."""


def read_page(folder: Path) -> Page:
    """The files of a built page; none where there is no `index.html`."""
    if not (folder / INDEX).is_file():
        return {}
    return {str(path.relative_to(folder)): _file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def router(page: Page, store: str = "") -> APIRouter:
    """The endpoints of the page, or of the sentence that says how to build it.

    Parameters
    ----------
    page
        From `read_page`.
    store
        The address of the object store, to which the page sends parts of uploads.
    """
    routes = APIRouter(include_in_schema=False)
    if not page:
        routes.add_api_route("/", lambda: PlainTextResponse(NOT_BUILT, 503), methods=["GET"])
        return routes
    index = {"Content-Security-Policy": page_policy(store), "Cache-Control": "no-cache"}

    def home(request: Request) -> Response:
        return _sent(page[INDEX], request, index)

    def asset(path: str, request: Request) -> Response:
        found = page.get(f"assets/{path}")
        if found is None:
            return problem(404, f"there is no assets/{path} in this page; load it again")
        return _sent(found, request, {"Cache-Control": _FOREVER})

    routes.add_api_route("/", home, methods=["GET"])
    routes.add_api_route("/assets/{path:path}", asset, methods=["GET"])
    return routes


def _file(path: Path) -> File:
    data = path.read_bytes()
    return File(data, gzip.compress(data, 9, mtime=0), mimetypes.guess_type(path.name)[0] or "application/octet-stream")


def _sent(file: File, request: Request, headers: Mapping[str, str]) -> Response:
    if len(file.data) < _COMPRESSED or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.data, media_type=file.kind, headers={**headers, "Vary": "Accept-Encoding"})
    packed = {**headers, "Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
    return Response(file.packed, media_type=file.kind, headers=packed)
