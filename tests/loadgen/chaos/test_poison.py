"""Whoever reads an image that kills, dies: the process that asks, and not the worker that started it."""

import asyncio
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from loadgen.chaos.completions import Completions
from loadgen.chaos.holdings import Holdings
from loadgen.chaos.http import Request
from loadgen.chaos.poison import Killers
from loadgen.chaos.stack import Owner, Part, Stack
from loadgen.chaos.store_proxy import Cut, StoreProxy

WORKER = "import subprocess, sys, time; subprocess.run([sys.executable, '-c', *sys.argv[1:]]); time.sleep(60)"
READER = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(1)"


class Family(Stack):
    """A worker that started a reader, which is connected to the store from some port."""

    def __init__(self, worker: int, reader: int, port: int, store: int) -> None:
        self.worker, self.reader, self.port = worker, reader, port
        self.store = cast(StoreProxy, SimpleNamespace(port=store))

    def parts(self) -> list[Part]:
        return [Part("stage-segment", self.worker, psutil.Process(self.worker).create_time(), "ready")]


@pytest.fixture
def family() -> Iterator[Family]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        store = server.getsockname()[1]
        argv = [sys.executable, "-c", WORKER, READER, str(store)]
        with subprocess.Popen(argv, start_new_session=True) as worker:
            connection, (_, port) = server.accept()
            (reader,) = psutil.Process(worker.pid).children()
            with connection:
                yield Family(worker.pid, reader.pid, port, store)
            worker.kill()


def test_a_connection_of_a_decoder_is_its_workers(family: Family) -> None:
    (part,) = family.parts()
    assert family.owner(family.port) == Owner(part, family.reader)
    assert family.owner(1) is None
    family.store.port += 1
    assert family.owner(family.port) is None  # who has this port for a way to somewhere else is another


def test_an_image_that_kills_hits_the_decoder_and_not_its_worker(family: Family) -> None:
    def number(key: str, start: int) -> int | None:
        return start

    holdings = Holdings(cast(Stack, family), Completions(), number)
    killers = Killers(holdings, "main.zip", {3}, Counter())
    reader = psutil.Process(family.reader)

    async def read(image: int) -> None:
        await killers.asked(request(image, family.port))

    asyncio.run(read(2))
    assert reader.is_running()
    with pytest.raises(Cut):
        asyncio.run(read(3))
    assert killers.deaths == {3: 1}
    reader.wait(5)
    assert psutil.Process(family.worker).is_running()


def request(image: int, port: int) -> Request:
    head = f"GET /monolayer/uploads/u/main.zip HTTP/1.1\r\nRange: bytes={image}-9\r\n\r\n".encode()
    return Request(head, b"", port, 1)
