"""Counts requests and their seconds, by route."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk.contract import PREFIX
from observability import metrics


class Measured:
    """Stands around the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun, status = time.perf_counter(), 500  # what an error that nobody foresaw becomes further out

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            _count(scope, status, time.perf_counter() - begun)


def _count(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in metrics.METHOD.values else "other"
    template: str = getattr(scope.get("route"), "path", "none")  # paths themselves are without number
    route = template.removeprefix(PREFIX)  # which newer FastAPIs leave out
    metrics.API_REQUESTS.labels(method, route, status).inc()
    metrics.API_SECONDS.labels(method, route).observe(seconds)
