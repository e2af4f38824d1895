"""What a drill breaks, and what it may do there: submit images, send records, kill processes."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

from kiosk.client import Monolayer
from loadgen.chaos.images import Archive, write_archive
from loadgen.chaos.records import Records
from loadgen.chaos.stack import Stack, send

SIDE = 64
"""Height and width of all images, in px."""
KILL_SECONDS = 0.1
"""Between two looks at a process that is to stay dead: less than it takes to start."""


@dataclass(slots=True)
class Site:
    """The system under drill."""

    stack: Stack
    records: Records
    folder: Path
    """Archives are written here."""
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def archive(self, images: int, poison: float = 0.0) -> Archive:
        """So many images that nobody has seen yet."""
        number = next(self.numbers)
        return write_archive(self.folder / f"drill_{number}.zip", images, SIDE, number, poison)

    async def submit(self, archive: Archive, *, deadline: float | None = None, budget: float | None = None) -> str:
        """Submit an archive and return its job."""

        def submitted() -> str:
            with self.client() as client:
                [job] = client.submit([archive.path], diameter=24, deadline=deadline, budget=budget)
            return job

        return await asyncio.to_thread(submitted)

    def client(self, patience: float = 60.0) -> Monolayer:
        """A client of its API."""
        return Monolayer(self.stack.address("api"), patience)

    @asynccontextmanager
    async def gone(self, *names: str) -> AsyncIterator[None]:
        """Kill whatever has a name that begins so, and whatever is started in its place."""
        killing = asyncio.create_task(self._kill(names))
        try:
            yield
        finally:
            killing.cancel()
            with suppress(asyncio.CancelledError):
                await killing

    async def _kill(self, names: tuple[str, ...]) -> None:
        while True:
            for part in self.stack.parts():
                if part.name.startswith(names):
                    send(part, SIGKILL)
            await asyncio.sleep(KILL_SECONDS)
