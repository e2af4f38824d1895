"""Bodies of requests: read whole before anyone works on them, and only so large and for so long."""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk.api.problems import problem
from kiosk.contract import PREFIX

LARGEST = 2 * 1024**2
"""Bytes of JSON: the parts of the largest upload take half of it."""
SECONDS = 15.0
"""A body of JSON has to arrive within so long."""
_TOO_LARGE = f"the body of this request may have up to {LARGEST // 1024**2} MiB"
_TOO_SLOW = f"the body of this request did not arrive within {SECONDS:g} s"
_CLOSE = {"Connection": "close"}


class _Gone(Exception):
    """The client hung up."""


class _TooLarge(Exception):
    """The body is larger than any that is meant."""


class Bodies:
    """Stands between the guard and the endpoints."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX) or _is_streamed(scope):
            return await self._app(scope, receive, send)
        try:
            async with asyncio.timeout(SECONDS):
                body = await _read(scope, receive)
        except _Gone:
            return None
        except _TooLarge:
            return await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE, _CLOSE)(scope, receive, send)
        except TimeoutError:
            return await problem(HTTPStatus.REQUEST_TIMEOUT, _TOO_SLOW, _CLOSE)(scope, receive, send)
        await self._app(scope, _replayed(body, receive), send)
        return None


def _is_streamed(scope: Scope) -> bool:
    """Whether an endpoint reads its body itself, piece by piece, with limits of its own."""
    method: str = scope["method"]
    path: str = scope["path"]
    is_part = method == "PUT" and path.startswith(f"{PREFIX}/uploads/")
    return is_part or (method, path) == ("POST", f"{PREFIX}/jobs")


async def _read(scope: Scope, receive: Receive) -> bytes:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > LARGEST:
        raise _TooLarge
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            raise _TooLarge
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once, and then whatever else the client does, such as hanging up."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
