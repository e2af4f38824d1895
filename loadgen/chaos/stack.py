"""A Monolayer of its own on this machine, with proxies before its S3 server and its Triton."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from kiosk.local.cache import cache_folder
from kiosk.local.leftovers import alive
from kiosk.local.processes import EVERYTHING, OBSERVED
from kiosk.local.settings import BUCKET
from kiosk.local.stack import Local
from kiosk.local.state import State
from loadgen.chaos.model_proxy import ModelProxy
from loadgen.chaos.store_proxy import StoreProxy

_CHAINED = {"MONOLAYER_CHAINED_TILES": "1"}
"""Stacks of two planes fan out, so that the cuts `tiles` and `predictions` are met as well."""
_CLOCKED = Path(__file__).parent / "clocked"
"""A folder that gives programs a clock that can be stepped."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process as it is now."""

    name: str
    pid: int
    created: float
    state: str

    @property
    def process(self) -> psutil.Process | None:
        """The process itself, unless it ended since."""
        return alive({"pid": self.pid, "created": self.created})


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose connection it is: one of ours, or a process that it started."""

    part: Part
    pid: int
    """Of the process that has the connection."""


class Stack:
    """The processes, by name, and the proxies between them.

    Parameters
    ----------
    folder
        Its state folder.
    workers
        How many processes segment images.
    supervisor
        The module that keeps the processes.
    observed
        Whether what watches it is started as well.
    variables
        For all its programs.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        supervisor: str = "kiosk.local",
        *,
        observed: bool = False,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.store = StoreProxy(lambda: self.address("s3"))
        self.model = ModelProxy(lambda: self.address("triton"))
        self._state = State(folder)
        self._clocks = folder / "clocks"
        own = {**_CHAINED, "PYTHONPATH": str(_CLOCKED), "MONOLAYER_CLOCKS": str(self._clocks)}
        self._local = Local(
            self._state,
            cache_folder(),
            OBSERVED if observed else EVERYTHING,
            any_ports=True,
            workers=workers,
            variables={**own, **variables},
            supervisor=supervisor,
        )

    async def start(self, tell: Callable[[str], None]) -> None:
        """Start everything, and return when every part works."""
        await self.store.open()
        await self.model.open()
        self._local.through = {"s3": self.store.address, "triton": self.model.address}
        await asyncio.to_thread(self._local.install, lambda part, words: tell(f"{part}: {words}"))
        self._local.start(bound=True)
        await asyncio.to_thread(self._local.wait)

    async def stop(self) -> None:
        """Stop everything; nothing is left."""
        for part in self.parts():
            with suppress(ProcessLookupError):
                os.kill(part.pid, signal.SIGCONT)
        await asyncio.to_thread(self._local.stop)
        await self.store.close()
        await self.model.end()

    async def ready(self, seconds: float = 120.0) -> None:
        """Return when every part works again; raises `TimeoutError`."""
        await until(lambda: self._local.status()["ready"], seconds, every=0.3)

    def address(self, part: str) -> str:
        """Where a server itself listens."""
        return str(self._state.status()["addresses"][part])

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which other programs find the servers themselves."""
        return self._local.environment()

    @property
    def objects(self) -> Path:
        """The bucket's objects, which the S3 server keeps as files."""
        return self.folder / "s3" / "data" / BUCKET

    def parts(self) -> list[Part]:
        """What runs now."""
        records: list[dict[str, Any]] = self._state.status().get("processes", [])
        return [Part(each["name"], each["pid"], each["created"], each["state"]) for each in records if each["pid"]]

    def named(self, beginning: str) -> list[Part]:
        """What runs now and has a name that begins so."""
        return [part for part in self.parts() if part.name.startswith(beginning)]

    def set_clock(self, name: str, ahead: float) -> None:
        """Step a program's clock: so many seconds ahead of the others'."""
        self._clocks.mkdir(exist_ok=True)
        (self._clocks / name).write_text(str(ahead))

    def owner(self, port: int) -> Owner | None:
        """Which process has a connection from this port to the S3 proxy, of ours and those they started."""
        if (socket := _socket(port, self.store.port)) is None:
            return None
        parts = {part.pid: part for part in self.parts()}
        candidates = [*((pid, pid) for pid in parts), *_started(set(parts))]
        return next((Owner(parts[leader], pid) for pid, leader in candidates if socket in _open_files(pid)), None)


def send(part: Part, number: signal.Signals) -> bool:
    """Send a signal to a process; whether it was still there."""
    with suppress(ProcessLookupError):
        if part.process is not None:
            os.kill(part.pid, number)
            return True
    return False


async def ended(part: Part, seconds: float) -> float:
    """Seconds until a process is gone, as long as that is less than so many."""
    begun = time.monotonic()
    with suppress(TimeoutError):
        await until(lambda: part.process is None, seconds, every=0.02)
    return time.monotonic() - begun


async def until(true: Callable[[], object], seconds: float, every: float = 0.1) -> None:
    """Return when something is true that only looking can tell; raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # other processes set no events
            await asyncio.sleep(every)


def _socket(port: int, to: int) -> str | None:
    """What a client's socket is called among its process's files; to ask psutil takes 50 times as long.

    Connections to different places may have one port of their own between them.
    """
    here, there = f":{port:04X}", f":{to:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=10)
        if fields[1].endswith(here) and fields[2].endswith(there) and fields[9] != "0":
            return f"socket:[{fields[9]}]"
    return None


def _started(leaders: set[int]) -> Iterator[tuple[int, int]]:
    """Processes in the sessions that these lead, each with its leader: the supervisor gives each part a session."""
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:  # noqa: PTH208  # as below
        with suppress(OSError):
            if pid not in leaders and (leader := os.getsid(pid)) in leaders:
                yield pid, leader


def _open_files(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208  # a third of the time of a Path for each
            with suppress(OSError):
                yield os.readlink(f"/proc/{pid}/fd/{number}")  # noqa: PTH115
