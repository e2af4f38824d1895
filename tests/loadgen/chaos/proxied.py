"""A proxy before a small server of its own, and a client."""

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from loadgen.chaos.http import Answer, Request
from loadgen.chaos.store_proxy import Rule, StoreProxy

KEPT = b"0123456789"


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str, bytes]]

    def _answer(self) -> None:
        self.asked.append((self.command, self.headers["Host"], self._body()))
        self.send_response(200)
        self.send_header("Content-Length", str(len(KEPT)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(KEPT)

    def _body(self) -> bytes:
        data = self.rfile.read(length := int(self.headers.get("Content-Length", 0)))
        if len(data) < length:
            raise ConnectionResetError
        return data

    do_GET = do_PUT = do_HEAD = _answer  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        pass


@dataclass
class Noticed:
    requests: list[Request] = field(default_factory=list)

    async def asked(self, request: Request) -> None:
        self.requests.append(request)

    async def answered(self, request: Request, answer: Answer) -> Answer:
        return answer


class Stand:
    """A proxy before a small server, and one client connection at a time."""

    def __init__(self, *rules: Rule) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        handler = type("Handler", (Server,), {"asked": self.asked})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.proxy = StoreProxy(lambda: f"http://127.0.0.1:{self.server.server_port}")
        self.proxy.rules += rules
        self.client = http.client.HTTPConnection("127.0.0.1", 0, timeout=5)

    def run(self, test: Callable[["Stand"], Awaitable[None]]) -> None:
        async def whole() -> None:
            await self.proxy.open()
            self.client.port = self.proxy.port
            try:
                await test(self)
            finally:
                self.client.close()
                await self.proxy.close()

        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            asyncio.run(whole())
        finally:
            self.server.shutdown()
            self.server.server_close()

    async def ask(self, method: str = "GET", body: bytes | None = None, **headers: str) -> bytes:
        def exchange() -> bytes:
            self.client.request(method, "/monolayer/jobs/j/labels/00000/001.tif?x=1", body, headers)
            return self.client.getresponse().read()

        return await asyncio.to_thread(exchange)


async def breaks(stand: Stand, method: str, body: bytes | None = None) -> type[BaseException]:
    with pytest.raises((http.client.HTTPException, OSError)) as raised:
        await stand.ask(method, body)
    stand.client.close()
    return raised.type
