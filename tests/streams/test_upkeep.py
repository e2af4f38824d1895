"""What a worker does for the jobs it owns besides ticking off."""

import asyncio
import random
from types import SimpleNamespace
from typing import Any

import pytest

from storage.memory import MemoryStore
from streams import retention, upkeep
from streams.events import Event
from streams.upkeep import TIDY_SECONDS, Upkeep, keep_up
from tests.streams.stand import run, tools

LIFE = 600.0
"""Seconds: a worker on a machine that is taken away so often."""


class Quiet:
    """A sweeper that finds nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    async def look(self) -> list[Event]:
        return []


async def announce(_: list[Event]) -> None:
    pass


def test_somebody_tidies_up_even_where_no_worker_lives_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:  # rule 7
    now, tidied = [0.0], []

    async def sleep(seconds: float, before: Any = asyncio.sleep) -> None:
        now[0] += seconds
        await before(0.001)

    async def life() -> None:
        lane: Any = SimpleNamespace(ready=True, subscription=SimpleNamespace(reads=lambda key: True), announce=announce)
        task = asyncio.create_task(keep_up(Upkeep(), lane, given, "nowhere"))
        until = now[0] + LIFE
        while now[0] < until:
            await asyncio.wait({task}, timeout=0.001)
        task.cancel()

    given = tools(MemoryStore())
    random.seed(5)
    monkeypatch.setattr(upkeep, "Sweeper", Quiet)
    monkeypatch.setattr(upkeep, "Backlog", lambda bootstrap: None)
    monkeypatch.setattr(upkeep, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(upkeep.asyncio, "sleep", sleep)
    monkeypatch.setattr(retention, "sweep", lambda *_: tidied.append(now[0]))
    for _ in range(36):
        run(life())
    assert 2 <= len(tidied) <= 36 * LIFE / TIDY_SECONDS * 2
