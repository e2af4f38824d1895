"""Parts of uploads that pass through the API: for browsers that reach it, and not the store behind it."""

import asyncio
from tempfile import TemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool

from kiosk.api.tokens import Token
from kiosk.api.tools import Given, Tools
from kiosk.api.uploads import expired, receive, token_of
from kiosk.contract import StoredPart
from storage.objects import NotFound

AT_ONCE = 4
"""Parts in memory; of 16 MiB, unless files are larger than 140 GB."""


def router() -> APIRouter:
    """The endpoint that takes parts."""
    routes = APIRouter(tags=["uploads"])
    routes.add_api_route("/uploads/{upload}/parts/{number}", Relay().take, methods=["PUT"])
    return routes


class Relay:
    """Hands parts on, a few at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def take(
        self, upload: str, number: Annotated[int, Path(ge=1, le=10_000)], request: Request, tools: Given
    ) -> StoredPart:
        """Send a part as the body of this request, where its own address can't be reached."""
        token = token_of(upload, tools)
        with TemporaryFile() as file:  # who sends slowly keeps nobody from having a turn
            await receive(request.stream(), file, f"Part {number} of {token.name}")
            async with self._room:
                etag = await run_in_threadpool(_store, token, number, file, tools)
        return StoredPart(number=number, etag=etag)


def _store(token: Token, number: int, file: IO[bytes], tools: Tools) -> str:
    try:
        return tools.store.store_part(token.key, token.multipart, number, file.read())
    except NotFound:
        raise expired(token) from None
