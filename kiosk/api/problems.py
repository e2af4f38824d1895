"""Every error leaves as a problem document (RFC 9457) whose `detail` is one sentence for a person."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from kiosk.access.holdings import OverQuota
from kiosk.api.headers import ALWAYS, STRICT
from kiosk.api.tokens import BadToken
from kiosk.contract import FULL, Problem
from storage.objects import Full, NotFound, StoreError, Unavailable, Unfinished
from streams.intake import Gone, Refused
from streams.jobs.ledger import NoSuchJob
from streams.kafka import BrokerAway
from streams.rounds import CannotReplay
from streams.wording import describe, sentence

AGAIN = {"Retry-After": "5"}
"""The seconds after which an outage is worth another try."""
Handler = Callable[[Request, Exception], Awaitable[Response]]


class Trouble(Exception):
    """An error that an endpoint decides on itself."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.headers = status, dict(headers or {})


_SAYS: dict[str, Any] = {"application/problem+json": {"schema": Problem.model_json_schema()}}
TOLD: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "It can't be done as it was asked for; `detail` says why.", "content": _SAYS},
    "5XX": {"description": "A part of the system is away or has failed; `detail` says which.", "content": _SAYS},
}
"""Of every route, what the API's description says of errors."""


def add_to(app: FastAPI) -> None:
    """Let the app answer errors with problem documents."""
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _answer_with(status))
    app.add_exception_handler(Trouble, _trouble)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Unavailable, _answer_with(HTTPStatus.SERVICE_UNAVAILABLE, _STORE, AGAIN))
    app.add_exception_handler(Unfinished, _answer_with(HTTPStatus.SERVICE_UNAVAILABLE, _UNFINISHED, AGAIN))
    app.add_exception_handler(Full, _answer_with(HTTPStatus.INSUFFICIENT_STORAGE, FULL))
    app.add_exception_handler(BrokerAway, _answer_with(HTTPStatus.SERVICE_UNAVAILABLE, _BROKER, AGAIN))
    app.add_exception_handler(Exception, _unexpected)


_STATUS: dict[type[Exception], HTTPStatus] = {
    Refused: HTTPStatus.BAD_REQUEST,
    Gone: HTTPStatus.GONE,
    BadToken: HTTPStatus.NOT_FOUND,
    NoSuchJob: HTTPStatus.NOT_FOUND,
    OverQuota: HTTPStatus.FORBIDDEN,
    CannotReplay: HTTPStatus.CONFLICT,
    NotFound: HTTPStatus.NOT_FOUND,
    StoreError: HTTPStatus.BAD_GATEWAY,
}
_STORE = "The object store can't be reached just now; try again in a moment."
_UNFINISHED = "The upload is still being put together; complete it again in a moment."
_BROKER = "Kafka can't be reached just now; what was uploaded is kept, so complete the upload again in a moment."


def trouble(error: Trouble) -> Response:
    """The answer that an error asks for."""
    return problem(error.status, str(error), error.headers)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem document."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=sentence(detail))
    return Response(body.model_dump_json(), status, headers, media_type="application/problem+json")


def _answer_with(status: HTTPStatus, detail: str = "", headers: Mapping[str, str] | None = None) -> Handler:
    """Answer with a detail, or with the error's own words."""

    async def answer(request: Request, error: Exception) -> Response:
        return problem(status, detail or str(error), headers)

    return answer


async def _trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, Trouble)
    return trouble(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = f"{request.method} {request.url.path}: {HTTPStatus(error.status_code).phrase.lower()}"
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request)) or headers.get("Allow", "")
    return problem(error.status_code, detail, headers)


def _methods(request: Request) -> list[str]:
    """What may be asked of a path: Starlette names the methods of the first route alone that has it."""
    paths = request.app.openapi()["paths"]
    found = [ways for path, ways in paths.items() if compile_path(path)[0].match(request.url.path)]
    return sorted({way.upper() for ways in found for way in ways})


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, describe(first["loc"], first["msg"], first.get("input")))


async def _unexpected(request: Request, error: Exception) -> Response:
    detail = f"The API failed at {request.method} {request.url.path}; its log says why"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, {**ALWAYS, "Content-Security-Policy": STRICT})
