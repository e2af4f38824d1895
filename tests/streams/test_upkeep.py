"""What a worker does for the jobs it owns besides ticking off."""

import asyncio
import random
from types import SimpleNamespace
from typing import Any

import pytest

from storage.memory import MemoryStore
from streams import retention, upkeep
from streams.events import Event
from streams.sweep import SECONDS
from streams.upkeep import TIDY_SECONDS, Upkeep, keep_up
from tests.streams.stand import run, tools


class World:
    """Time goes by as somebody sleeps; who sweeps or tidies up is noted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks: list[float] = []
        self.tidied: list[float] = []

    async def sleep(self, seconds: float, slept: Any = asyncio.sleep) -> None:
        self.now += seconds
        await slept(0.001)

    async def look(self) -> list[Event]:
        self.looks.append(self.now)
        return []

    def sweep(self, *_: object) -> None:
        self.tidied.append(self.now)

    async def announce(self, _: list[Event]) -> None:
        pass

    async def life(self, seconds: float) -> None:
        """One worker's, until it is killed: what would come later, it never does."""
        lane: Any = SimpleNamespace(
            ready=True,
            subscription=SimpleNamespace(reads=lambda key: True),
            sender=SimpleNamespace(announce=self.announce),
        )
        until = self.now + seconds
        task = asyncio.create_task(keep_up(Upkeep(), lane, tools(MemoryStore()), "nowhere"))
        while self.now < until:
            await asyncio.wait({task}, timeout=0.001)
        task.cancel()
        for times in (self.looks, self.tidied):
            times[:] = [at for at in times if at <= until]
        self.now = until


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    random.seed(5)
    monkeypatch.setattr(upkeep, "Sweeper", lambda *_, **__: made)
    monkeypatch.setattr(upkeep, "Backlog", lambda bootstrap: None)
    monkeypatch.setattr(upkeep, "time", SimpleNamespace(monotonic=lambda: made.now))
    monkeypatch.setattr(upkeep.asyncio, "sleep", made.sleep)
    monkeypatch.setattr(retention, "sweep", made.sweep)
    return made


def test_somebody_looks_even_where_no_worker_lives_for_a_minute(world: World) -> None:  # rule 4
    for _ in range(24):
        run(world.life(SECONDS / 2))
    assert 4 <= len(world.looks) <= 24


def test_somebody_tidies_up_even_where_no_worker_lives_for_an_hour(world: World) -> None:  # rule 7
    for _ in range(36):
        run(world.life(TIDY_SECONDS / 6))
    assert 2 <= len(world.tidied) <= 12
