"""Stands between the stages and the S3 server, and does to their requests what rules say."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Protocol
from urllib.parse import urlsplit

from kiosk.local.ports import other
from loadgen.chaos.http import MOST_HEAD, Answer, Request, read_answer, read_request


class Instead(Exception):
    """Answer this, and don't ask the server, or not say what it answered."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.head)
        self.answer = answer


class Cut(Exception):
    """Reset the connection; the server gets nothing, or saw everything: it depends on when this is raised."""


class Torn(Exception):
    """Pass half of the request on, and reset both connections."""


class Rule(Protocol):
    """Looks at every request and answer; raises `Instead`, `Cut` or `Torn` to meddle, or returns another answer."""

    async def asked(self, request: Request) -> None:
        """Before the server gets it."""

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Before the client gets it."""


class StoreProxy:
    """An HTTP proxy on 127.0.0.1 that changes nothing, not even the Host header, as that is signed.

    Parameters
    ----------
    server
        Returns ``http://host:port`` of the S3 server; asked at every new connection, as it may not be there yet.
    """

    def __init__(self, server: Callable[[], str]) -> None:
        self.rules: list[Rule] = []
        self.port = 0
        self.server = server
        self._listening: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.number = count(1)

    @property
    def address(self) -> str:
        """What the stages are given."""
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen: on any port that no outgoing connection is given at first, later on the same one."""
        self.port = self.port or other(set())
        taken = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self._listening = await asyncio.start_server(self._serve, sock=taken, limit=MOST_HEAD)

    async def close(self) -> None:
        """Refuse connections, and reset those there are."""
        if self._listening:
            self._listening.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await _Connection(self, reader, writer).run()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Cut, Torn, ValueError):
            pass  # one side is gone, or ought to look so
        except asyncio.CancelledError:
            pass  # by `close`; asyncio would report it as an error
        finally:
            self._connections.discard(task)
            writer.transport.abort()


class _Connection:
    """One client's connection. It stays open where the server closes its own after each answer."""

    def __init__(self, proxy: StoreProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy, self._reader, self._writer = proxy, reader, writer
        self._port: int = writer.get_extra_info("peername")[1]
        self._number = next(proxy.number)
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        try:
            while request := await read_request(self._reader, self._port, self._number):
                await self._exchange(request)
        finally:
            self._hang_up()

    async def _exchange(self, request: Request) -> None:
        try:
            answer = await self._answer(request)
        except Instead as instead:
            answer = instead.answer
        self._writer.write(answer.head + answer.body)
        await self._writer.drain()
        promised = answer.header("content-length")
        if promised and request.method != "HEAD" and int(promised) > len(answer.body):
            self._writer.close()  # cut short: what was written still arrives
            with suppress(OSError):
                await self._writer.wait_closed()
            raise Cut

    async def _answer(self, request: Request) -> Answer:
        rules = list(self._proxy.rules)
        try:
            for rule in rules:
                await rule.asked(request)
        except Torn:
            _, to_server = await self._connected()
            to_server.write(request.head + request.body[: len(request.body) // 2])
            await to_server.drain()
            raise
        answer = await self._ask(request)
        for rule in rules:
            answer = await rule.answered(request, answer)
        return answer

    async def _ask(self, request: Request) -> Answer:
        from_server, to_server = await self._connected()
        to_server.write(request.head + request.body)
        await to_server.drain()
        answer = await read_answer(from_server, request.method)
        if answer.header("connection").lower() == "close":
            self._hang_up()
        return answer.kept_open()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._server is None:
            host, port = urlsplit(self._proxy.server()).netloc.split(":")
            self._server = await asyncio.open_connection(host, int(port), limit=MOST_HEAD)
        return self._server

    def _hang_up(self) -> None:
        if self._server:
            self._server[1].transport.abort()
            self._server = None
