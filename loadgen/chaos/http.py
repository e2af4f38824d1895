"""Just enough HTTP/1.1 to stand between an S3 client and its server: whole messages, passed on byte for byte."""

import asyncio
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

MOST_HEAD = 65_536
"""Bytes of a request's or an answer's head."""
_NO_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Message:
    """A head, with its empty line, and a body as it travels: a chunked one with its chunks' heads."""

    head: bytes
    body: bytes = b""

    def header(self, name: str) -> str:
        """One header's value; empty if it isn't there."""
        wanted = name.lower().encode() + b":"
        lines = self.head.split(b"\r\n")[1:]
        return next((line.split(b":", 1)[1].strip().decode() for line in lines if line.lower().startswith(wanted)), "")

    @property
    def first_line(self) -> list[str]:
        """The three words of the first line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)


@dataclass(frozen=True, slots=True)
class Request(Message):
    """What a client asks for."""

    port: int = 0
    """The client's own port, which tells who it is."""
    connection: int = 0
    """Counted by the proxy: a port may belong to another client later, a connection never does."""

    @property
    def method(self) -> str:
        """GET, PUT and so on."""
        return self.first_line[0]

    @property
    def key(self) -> str:
        """The object's key; empty where the bucket itself is meant."""
        path = unquote(urlsplit(self.first_line[1]).path)
        return path.lstrip("/").partition("/")[2]

    @property
    def start(self) -> int | None:
        """The first byte of a ranged read."""
        asked = self.header("range").removeprefix("bytes=").partition("-")[0]
        return int(asked) if asked.isdigit() else None


@dataclass(frozen=True, slots=True)
class Answer(Message):
    """What the server says."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.first_line[1])

    def kept_open(self) -> "Answer":
        """The same without the wish to close the connection."""
        lines = self.head.split(b"\r\n")
        kept = [line for line in lines if line.lower() != b"connection: close"]
        return replace(self, head=b"\r\n".join(kept))

    def with_body(self, body: bytes) -> "Answer":
        """The same head, whatever it promises, with other bytes behind it."""
        return replace(self, body=body)


class _Frame(NamedTuple):
    length: int | None
    chunked: bool


def error(status: int, code: str, message: str) -> Answer:
    """An answer as S3 servers put their errors."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return Answer(head.encode(), body)


async def read_request(reader: asyncio.StreamReader, port: int, connection: int = 0) -> Request | None:
    """The next request of a connection; none at its end."""
    head = await _head(reader)
    if head is None:
        return None
    return Request(head, await _body(reader, _frame(head, 0)), port, connection)


async def read_answer(reader: asyncio.StreamReader, method: str) -> Answer:
    """The answer to a request of that method; raises `ConnectionError` where the server is gone."""
    head = await _head(reader)
    if head is None:
        raise ConnectionResetError("the server closed the connection instead of answering")
    status = Answer(head).status
    if status == 100:
        return await read_answer(reader, method)
    if method == "HEAD" or status in _NO_BODY:
        return Answer(head)
    return Answer(head, await _body(reader, _frame(head, None)))


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None


def _frame(head: bytes, default: int | None) -> _Frame:
    message = Message(head)
    length = message.header("content-length")
    return _Frame(int(length) if length else default, message.header("transfer-encoding").lower() == "chunked")


async def _body(reader: asyncio.StreamReader, frame: _Frame) -> bytes:
    if frame.chunked:
        return await _chunks(reader)
    if frame.length is None:
        return await reader.read()
    return await reader.readexactly(frame.length)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    read = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        read += [line, await reader.readexactly(size + 2)]
        if size == 0:
            return b"".join(read)
