"""Decoders of both kinds read alike; those in processes of their own die alone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from observability.cost import Asked
from storage.images import read_image
from storage.objects import Changed, NotFound, StoreError, Unavailable
from storage.operations import Since
from storage.unreadable import Unreadable
from streams.decoders.decoder import Apart, Decoder, InProcess
from streams.decoders.forkserver import Died, ForkServer
from streams.decoders.wire import Wanted
from streams.events import ImageFound, Lane, Source
from streams.failure import Rejected, is_outage
from streams.original import read
from streams.patience import Patience
from streams.tools import Limits, Tools
from streams.tracing.spent import Spent
from streams.workshop import Hung, Workshop
from tests.streams.deadly_decoding import HANGS, KILLS, KILLS_ONCE, SURPRISES, FolderStore
from tests.streams.stand import run, tiff

PROGRAM = "tests.streams.deadly_decoding"


class Lasting(ForkServer):
    """Serves all tests: what takes time is its start."""

    def close(self) -> None:
        if not self.runs:
            super().close()


SERVER = Lasting({}, PROGRAM)


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    yield
    ForkServer.close(SERVER)


def apart(folder: Path, seconds: int = 30) -> Apart:
    SERVER.place, SERVER.seconds = {"folder": str(folder)}, seconds
    return Apart(SERVER)


def in_process(folder: Path) -> InProcess:
    return InProcess(FolderStore(str(folder)), Workshop())


KINDS: list[Callable[[Path], Decoder]] = [apart, in_process]


def with_decoder(make: Callable[[], Decoder], test: Callable[[Decoder], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        with closing(make()) as decoder:
            return await test(decoder)

    return run(whole())


def wanted(key: str, **fields: Any) -> Wanted:
    return Wanted(key, "", 0, None, None, 0, 0, None, key, None)._replace(**fields)


def raised(folder: Path, make: Callable[[Path], Decoder], asked: Wanted) -> Exception:
    async def test(decoder: Decoder) -> Exception:
        with pytest.raises(Exception) as raised:
            await decoder.read(asked, Lane.BULK, Spent(), Patience())
        return raised.value

    return with_decoder(lambda: make(folder), test)  # type: ignore[no-any-return]


@pytest.mark.parametrize("make", KINDS)
def test_an_image_is_read_as_its_file_says(make: Callable[[Path], Decoder], tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff((300, 400)))
    spent = Spent()
    image = with_decoder(lambda: make(tmp_path), lambda each: each.read(wanted("a.tif"), Lane.BULK, spent, Patience()))
    expected = read_image(tiff((300, 400)), "a.tif")
    assert np.array_equal(image.planes, expected.planes)  # also now that its decoder is gone
    assert (image.dtype, image.pixel_size, image.channels) == (expected.dtype, expected.pixel_size, expected.channels)
    assert spent["fetch"] > 0
    assert spent["decode"] > 0


@pytest.mark.parametrize("make", KINDS)
def test_what_a_decoder_asks_of_the_store_counts_as_its_workers(
    make: Callable[[Path], Decoder], tmp_path: Path
) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())

    async def test(decoder: Decoder) -> Asked:
        since = Since()
        for _ in range(2):
            await decoder.read(wanted("a.tif"), Lane.BULK, Spent(), Patience())
        return since()

    assert with_decoder(lambda: make(tmp_path), test) == Asked(b=2, received=2 * len(tiff()))


def test_both_kinds_refuse_with_the_same_words(tmp_path: Path) -> None:
    for name, data in {"a.tif": tiff(), "cut.tif": tiff()[:900], "b.gif": b"GIF89a"}.items():
        (tmp_path / name).write_bytes(data)
    asked = {
        wanted("cut.tif"): Unreadable,
        wanted("b.gif", name="ä\u2028\udcff.gif"): Unreadable,
        wanted("a.tif", size=600_000_001): Unreadable,
        wanted("a.tif", channel=7): Unreadable,
        wanted("nowhere.tif"): NotFound,
        wanted("a.tif", etag="another"): Changed,
    }

    async def test(decoder: Decoder) -> list[tuple[type, str, str]]:
        reads = [decoder.read(each, Lane.BULK, Spent(), Patience()) for each in asked]
        ends = await asyncio.gather(*reads, return_exceptions=True)
        return [(type(end), str(end), getattr(end, "reason", "")) for end in ends]

    one, other = (with_decoder(lambda make=make: make(tmp_path), test) for make in KINDS)  # type: ignore[misc]
    assert one == other
    assert [kind for kind, _, _ in one] == list(asked.values())


@pytest.mark.parametrize("make", KINDS)
def test_an_outage_stays_an_outage(make: Callable[[Path], Decoder], tmp_path: Path) -> None:
    error = raised(tmp_path / "gone", make, wanted("a.tif"))
    assert type(error) is Unavailable
    assert is_outage(error)
    assert not isinstance(error, NotFound) and isinstance(error, StoreError)


def test_an_error_that_nobody_expected_keeps_its_name_and_its_words(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(SURPRISES)
    error = raised(tmp_path, apart, wanted("a.tif"))
    assert (type(error).__name__, str(error)) == ("LookupError", "a.tif")


def test_an_image_that_kills_its_reader_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())
    (tmp_path / "k.tif").write_bytes(KILLS)

    async def test(decoder: Decoder) -> list[Any]:
        names = ["a.tif", "k.tif"] * 10
        reads = (decoder.read(wanted(name), lane, Spent(), Patience()) for name in names for lane in Lane)
        return await asyncio.gather(*reads, return_exceptions=True)

    ends = with_decoder(lambda: apart(tmp_path), test)
    assert [isinstance(end, Died) for end in ends] == [False, False, True, True] * 10
    assert all(end.planes.shape == (1, 64, 80) for end in ends if not isinstance(end, Died))


def test_a_decoder_that_hangs_is_killed_and_another_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "h.tif").write_bytes(HANGS)
    (tmp_path / "a.tif").write_bytes(tiff())

    async def test(decoder: Decoder) -> None:
        with pytest.raises(Hung, match="did not end in 1 s"):
            await decoder.read(wanted("h.tif"), Lane.INTERACTIVE, Spent(), Patience())
        await decoder.read(wanted("a.tif"), Lane.INTERACTIVE, Spent(), Patience())
        assert len(decoders()) == 1

    with_decoder(lambda: apart(tmp_path, seconds=1), test)


def test_a_reading_that_is_abandoned_ends_its_decoder(tmp_path: Path) -> None:
    (tmp_path / "h.tif").write_bytes(HANGS)

    async def test(decoder: Decoder) -> None:
        reading = asyncio.create_task(decoder.read(wanted("h.tif"), Lane.BULK, Spent(), Patience()))
        await until(lambda: decoders())
        reading.cancel()
        await until(lambda: not decoders())

    with_decoder(lambda: apart(tmp_path), test)


def test_when_all_decoders_die_at_once_no_image_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "h.tif").write_bytes(HANGS)

    async def test(decoder: Decoder) -> None:
        lanes = (Lane.BULK, Lane.BULK, Lane.INTERACTIVE)
        spent = [Spent() for _ in lanes]
        asked = [decoder.read(wanted("h.tif"), *each, Patience()) for each in zip(lanes, spent, strict=True)]
        reads = list(map(asyncio.create_task, asked))
        await until(lambda: all(each["wait"] for each in spent))
        servers()[0].kill()
        (tmp_path / "h.tif").write_bytes(tiff())  # for those that read again
        assert [image.planes.shape for image in await asyncio.gather(*reads)] == [(1, 64, 80)] * len(lanes)

    with_decoder(lambda: apart(tmp_path), test)


def test_a_death_while_the_worker_drains_is_nobodys_fault(tmp_path: Path) -> None:
    (tmp_path / "k.tif").write_bytes(KILLS)

    async def test(decoder: Decoder) -> None:
        decoder.rest()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(decoder.read(wanted("k.tif"), Lane.BULK, Spent(), Patience()), 3)

    with_decoder(lambda: apart(tmp_path), test)


WORKER = """
import asyncio, sys
from streams.decoders.decoder import Apart, ForkServer, Lane, Patience, Spent, Wanted
decoder = Apart(ForkServer({"folder": sys.argv[2]}, sys.argv[1]))
asyncio.run(decoder.read(Wanted("h.tif", "", 0, None, None, 0, 0, None, "h.tif", None), Lane.BULK, Spent(), Patience()))
"""


def test_decoders_end_with_their_worker_even_if_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "h.tif").write_bytes(HANGS)
    with subprocess.Popen([sys.executable, "-c", WORKER, PROGRAM, str(tmp_path)]) as worker:
        try:
            run(until(lambda: len(psutil.Process(worker.pid).children(recursive=True)) == 2))
            family = psutil.Process(worker.pid).children(recursive=True)
        finally:
            worker.kill()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_what_is_meant_for_the_worker_does_not_end_its_decoders(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())

    async def test(decoder: Decoder) -> None:
        await decoder.read(wanted("a.tif"), Lane.BULK, Spent(), Patience())
        for process in (*servers(), *(before := decoders())):
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(process.pid, number)
        await decoder.read(wanted("a.tif"), Lane.BULK, Spent(), Patience())
        assert decoders() == before

    with_decoder(lambda: apart(tmp_path), test)


@pytest.fixture
def given(tmp_path: Path) -> Callable[[Decoder], Tools]:
    from inference.models import shipped_models
    from tests.streams.stand import Bright

    def of(decoder: Decoder) -> Tools:
        return Tools.of(FolderStore(str(tmp_path)), shipped_models(), Bright(), 10, Limits(16, 20), decoder)

    return of


def found(name: str) -> ImageFound:
    return ImageFound(job="j", image=0, name=name, model="nuclei", model_digest="", source=Source(key=name, etag=""))


def test_the_third_death_rejects_the_image_as_killed(tmp_path: Path, given: Callable[[Decoder], Tools]) -> None:
    (tmp_path / "k.tif").write_bytes(KILLS)

    async def test(decoder: Decoder) -> None:
        begun = time.monotonic()
        with pytest.raises(Rejected, match=r"k\.tif: the process that read it died 3 times") as rejected:
            await read(found("k.tif"), given(decoder))
        assert (rejected.value.reason, rejected.value.attempts) == ("killed", 3)
        assert time.monotonic() - begun < 20  # a worker that is started again takes as long

    with_decoder(lambda: apart(tmp_path), test)


def test_an_image_whose_reader_dies_once_is_read_again(tmp_path: Path, given: Callable[[Decoder], Tools]) -> None:
    file = tmp_path / "a.tif"
    file.write_bytes(KILLS_ONCE + f"\n{tmp_path / 'mark'}".encode())

    async def test(decoder: Decoder) -> Any:
        reading = asyncio.create_task(read(found("a.tif"), given(decoder)))
        await until((tmp_path / "mark").exists)
        file.write_bytes(tiff())
        return await reading

    assert with_decoder(lambda: apart(tmp_path), test).planes.shape == (1, 64, 80)


def servers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if PROGRAM in each.cmdline()]


def decoders() -> list[psutil.Process]:
    return [decoder for server in servers() for decoder in server.children()]


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)
