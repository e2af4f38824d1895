"""Decoders that are not to be had: no image is charged with that, and a worker that gets none for long ends."""

import asyncio
import errno
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from inference.models import shipped_models
from storage.memory import MemoryStore
from streams.decoders import forkserver
from streams.decoders.decoder import Apart
from streams.decoders.forkserver import ForkServer
from streams.events import Lane
from streams.patience import Patience
from streams.tools import Limits, Tools
from streams.tracing.spent import Spent
from streams.worker import Worker
from tests.streams.deadly_decoding import HANGS
from tests.streams.decoders.test_decoder import PROGRAM, decoders, servers, until, wanted
from tests.streams.stand import Bright, run, tiff

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(forkserver, "AGAIN_SECONDS", 0.01)
    (tmp_path / "a.tif").write_bytes(tiff())
    (tmp_path / "h.tif").write_bytes(HANGS)
    with closing(Apart(ForkServer({"folder": str(tmp_path)}, PROGRAM))) as made:
        yield made


class Scarce:
    """Processes that can't be started, so many times."""

    def __init__(self, refusals: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refusals = refusals
        self._start = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return self._start(*args, **options)


async def limited(decoder: Apart, name: str, lane: Lane, patience: Patience, seconds: float = 60) -> Any:
    async with patience.limited(seconds):
        return (await decoder.read(wanted(name), lane, Spent(), patience)).planes.shape


def stands(patience: Patience) -> Callable[[], bool]:
    """Whether the clock of a run stands still."""
    return lambda: patience._limit is not None and patience._limit.when() is None


def test_a_fork_server_that_does_not_start_is_started_later(decoder: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    scarce = Scarce(3, monkeypatch)
    assert run(limited(decoder, "a.tif", Lane.BULK, Patience())) == (1, 64, 80)
    assert scarce.refusals == 0


def test_a_fork_that_fails_ends_neither_the_server_nor_other_decoders(
    decoder: Apart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    monkeypatch.setenv("NO_FORK", str(mark))

    async def test() -> None:
        await limited(decoder, "a.tif", Lane.BULK, Patience())
        before = {*servers(), *decoders()}
        mark.touch()
        await limited(decoder, "a.tif", Lane.INTERACTIVE, Patience())
        assert not mark.exists()
        assert len({*servers(), *decoders()} - before) == 1
        assert before <= {*servers(), *decoders()}

    run(test())


def test_an_image_is_given_time_for_its_reading_and_not_for_the_wait_for_a_decoder(decoder: Apart) -> None:
    async def test() -> None:
        patience = Patience()
        occupied = asyncio.create_task(limited(decoder, "h.tif", Lane.INTERACTIVE, Patience()))
        await until(lambda: decoders())
        waiting = asyncio.create_task(limited(decoder, "a.tif", Lane.INTERACTIVE, patience))
        await until(stands(patience))
        occupied.cancel()
        assert await waiting == (1, 64, 80)
        with pytest.raises(TimeoutError):
            await limited(decoder, "h.tif", Lane.INTERACTIVE, Patience(), 0.5)

    run(test())


def test_a_worker_that_gets_no_decoder_for_long_ends_in_good_order(
    decoder: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forkserver, "LONG_SECONDS", 0.1)
    scarce = Scarce(10**9, monkeypatch)

    async def test() -> None:
        tools = Tools.of(MemoryStore(), shipped_models(), Bright(), 10, Limits(16, 20), decoder)
        worker, patience = Worker(("collect",), tools, NOWHERE), Patience()
        waiting = asyncio.create_task(limited(decoder, "a.tif", Lane.BULK, patience))
        assert not worker._must_end()
        await until(worker._must_end)
        assert stands(patience)()
        scarce.refusals = 0
        assert await waiting == (1, 64, 80)
        assert not worker._must_end()

    run(test())


def test_decoders_split_off_the_worker_read_and_come_again_and_end_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())
    argv = [sys.executable, "-m", "tests.streams.split_off", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        told = json.loads(worker.stdout.readline())
        family = psutil.Process(worker.pid).children(recursive=True)
        worker.kill()
    assert told["shapes"] == [[1, 64, 80], [1, 64, 80]]
    assert told["programs"]
    assert told["copy"] not in told["programs"]
    _, alive = psutil.wait_procs(family, timeout=10)
    assert len(family) == 2
    assert not alive
