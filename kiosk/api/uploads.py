"""Files come in: in parts that go straight to the store, or small ones as the body of one request."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from kiosk.access.holdings import OverQuota
from kiosk.api import acceptance, tokens
from kiosk.api.problems import Trouble
from kiosk.api.tokens import Token
from kiosk.api.tools import Given, Tools
from kiosk.contract import (
    IDEMPOTENCY_KEY,
    PART_SIZE,
    SMALL_UPLOAD,
    Accepted,
    Completion,
    NewJob,
    NewUpload,
    PartAddress,
    StoredPart,
    UploadStarted,
)
from storage.objects import NotFound, Part, StoreError, Unavailable
from streams.events import Options
from streams.wording import complaint

MIB = 1024**2
PARTS = 9000
"""Fewer than the 10,000 parts S3 takes."""
BODY_SECONDS = 60.0
"""A small file has to arrive within so long."""
Key = Annotated[str, Header(alias=IDEMPOTENCY_KEY, max_length=200)]


def router() -> APIRouter:
    """The endpoints that take files."""
    routes = APIRouter(tags=["uploads"])
    routes.add_api_route("/uploads", start, methods=["POST"], status_code=HTTPStatus.CREATED)
    routes.add_api_route("/uploads/{upload}/parts", addresses, methods=["POST"])
    routes.add_api_route("/uploads/{upload}/parts", stored, methods=["GET"])
    routes.add_api_route("/uploads/{upload}/complete", complete, methods=["POST"])
    routes.add_api_route("/uploads/{upload}", abort, methods=["DELETE"], status_code=HTTPStatus.NO_CONTENT)
    routes.add_api_route("/jobs", Small().take, methods=["POST"], status_code=HTTPStatus.CREATED)
    return routes


def start(new: NewUpload, tools: Given, response: Response, idempotency_key: Key = "") -> UploadStarted:
    """Begin an upload in parts. A submission that is a job already is answered with that job: nothing is to be sent."""
    new = _marked(new, idempotency_key)
    acceptance.check(new, tools)
    key = tokens.new_key(new, tools.caller.tenant)
    if there := acceptance.known(new, tools):
        response.status_code = HTTPStatus.OK
        return UploadStarted(upload="", key=key, part_size=part_size(new.size), job=there.job)
    tools.holdings.check(tools.caller.tenant, new.size or 0)
    token = tokens.new_token(new, key, tools.store.start_upload(key), tools.caller.tenant)
    return UploadStarted(upload=token.encode(tools.secret), key=key, part_size=part_size(new.size))


def addresses(
    upload: str,
    tools: Given,
    first: Annotated[int, Query(ge=1, le=10_000)] = 1,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[PartAddress]:
    """Addresses to PUT parts to, without any key, good for an hour."""
    token = token_of(upload, tools)
    numbers = range(first, min(first + count, 10_001))
    return [PartAddress(number=n, url=tools.store.part_url(token.key, token.multipart, n)) for n in numbers]


def stored(upload: str, tools: Given) -> list[StoredPart]:
    """The parts that have arrived: what a resumed upload may skip."""
    token = token_of(upload, tools)
    parts = tools.store.parts(token.key, token.multipart)
    return [StoredPart(number=part.number, etag=part.etag) for part in parts]


def complete(upload: str, completion: Completion, tools: Given) -> Accepted:
    """Make the parts one object, and the object a job. Completing twice gives the same job."""
    token = token_of(upload, tools)
    there = _is_there(token, tools)
    if there:  # whoever sent the same at the same time was faster, or this is the second call
        tools.store.abort_upload(token.key, token.multipart)
    elif _finish(token, completion, tools):
        _keep_within_quota(token, tools)
    return acceptance.accept(token, tools, again=there and bool(token.submission))


def abort(upload: str, tools: Given) -> None:
    """Forget an upload that isn't complete, and its parts."""
    token = token_of(upload, tools)
    tools.store.abort_upload(token.key, token.multipart)


class Small:
    """Takes small files, one at a time: together they must fit the memory of one process."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def take(
        self,
        query: Annotated[NewJob, Query()],
        request: Request,
        tools: Given,
        response: Response,
        idempotency_key: Key = "",
    ) -> Accepted:
        """Send a small file (up to 100 MB) as the body of this request."""
        new = _marked(_upload(query), idempotency_key)
        acceptance.check(new, tools)
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > SMALL_UPLOAD:
            raise _too_large(new.name)
        with TemporaryFile() as file:  # who sends slowly keeps nobody from having a turn
            await receive(request.stream(), file, new.name)
            async with self._turn:
                accepted = await run_in_threadpool(_store, new, file, tools)
        if accepted.again:
            response.status_code = HTTPStatus.OK
        return accepted


def part_size(size: int | None) -> int:
    """Bytes of each part, in whole MiB: 16 MiB, or more where the file would have too many of those."""
    needed = -(-(size or 0) // PARTS)
    return max(PART_SIZE, -(-needed // MIB) * MIB)


def _marked(new: NewUpload, key: str) -> NewUpload:
    """The upload with the header's mark, where there is one; two different marks are a mistake."""
    if key and new.submission and key != new.submission:
        both = f"{IDEMPOTENCY_KEY} is {key!r} and submission {new.submission!r}"
        raise Trouble(HTTPStatus.UNPROCESSABLE_ENTITY, f"{both}: give one of them")
    return new.model_copy(update={"submission": key or new.submission})


def _finish(token: Token, completion: Completion, tools: Tools) -> bool:
    """Whether it was this call that did it: what was finished before may be a job, whose images nobody may take."""
    parts = [Part(part.number, part.etag) for part in completion.parts]
    try:
        tools.store.finish_upload(token.key, token.multipart, parts)
    except NotFound:
        _check_finished(token, tools)
        return False
    except Unavailable:
        raise
    except StoreError as error:
        raise Trouble(HTTPStatus.BAD_REQUEST, f"The parts of {token.name} don't make a file: {error}") from error
    return True


def _check_finished(token: Token, tools: Tools) -> None:
    if not _is_there(token, tools):
        raise expired(token) from None


def _keep_within_quota(token: Token, tools: Tools) -> None:
    """Only now it is known how much was sent."""
    try:
        tools.holdings.check(token.tenant, tools.store.stat(token.key).size)
    except OverQuota:
        tools.store.delete([token.key])
        raise


def expired(token: Token) -> Trouble:
    """What to answer where the store knows nothing of an upload any more."""
    return Trouble(HTTPStatus.NOT_FOUND, f"The upload of {token.name} was cancelled or has expired; begin a new one")


def token_of(upload: str, tools: Tools) -> Token:
    """The upload that a request names, if it is the caller's; raises `BadToken`."""
    return Token.decode(upload, tools.secret, tools.caller.tenant)


def _is_there(token: Token, tools: Tools) -> bool:
    try:
        tools.store.stat(token.key)
    except NotFound:
        return False
    return True


def _upload(query: NewJob) -> NewUpload:
    try:
        options = Options(pixel_size=query.pixel_size, diameter=query.diameter, channel=query.channel)
    except ValidationError as error:
        raise Trouble(HTTPStatus.UNPROCESSABLE_ENTITY, complaint(error)) from None
    return NewUpload(
        options=options, **query.model_dump(include={"name", "model", "submission", "deadline", "budget", "notify"})
    )


async def receive(chunks: AsyncIterator[bytes], file: IO[bytes], name: str) -> None:
    """Take a request's body, which `name` is, into a file; refused where it is empty, too large or too slow."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in chunks:
                file.write(chunk)
                if file.tell() > SMALL_UPLOAD:
                    raise _too_large(name)
    except TimeoutError:
        raise Trouble(HTTPStatus.REQUEST_TIMEOUT, f"{name} took too long to arrive; send it in parts") from None
    if not file.tell():
        raise Trouble(HTTPStatus.BAD_REQUEST, f"{name} is empty")
    file.seek(0)


def _store(new: NewUpload, file: IO[bytes], tools: Tools) -> Accepted:
    body = bytearray(file.read())
    if there := acceptance.known(new, tools, body):
        return there
    tenant = tools.caller.tenant
    tools.holdings.check(tenant, len(body))
    token = tokens.new_token(new, tokens.new_key(new, tenant), tenant=tenant)
    tools.store.put(token.key, _taken(body))
    return acceptance.accept(token, tools)


def _taken(body: bytearray) -> bytes:
    """The bytes, and an empty body: idle threads remember what they were given last."""
    data = bytes(body)
    body.clear()
    return data


def _too_large(name: str) -> Trouble:
    limit = SMALL_UPLOAD // MIB
    return Trouble(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{name} is larger than {limit} MiB; send it in parts")
