"""How stages follow one another in a chain."""

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from streams.events import Event, ImageEnded, TilePlanned, TilePredicted
from streams.stages import STAGES, follow
from streams.tracing.spent import Spent

BUSY = 0.05


def test_a_run_that_could_not_go_on_because_its_process_was_busy_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: Event = ImageEnded.model_construct()

    async def predict(event: Event, tools: Any) -> Sequence[Event]:
        return [TilePredicted.model_construct()]

    async def postprocess(event: Event, tools: Any) -> Sequence[Event]:
        asyncio.get_running_loop().call_soon(time.sleep, BUSY)
        return [ended]

    monkeypatch.setattr("streams.predict.predict", predict)
    monkeypatch.setattr("streams.postprocess.postprocess", postprocess)
    tools: Any = SimpleNamespace(spent=Spent(), limits=SimpleNamespace(chained_tiles=1))
    followed = asyncio.run(follow([STAGES["predict"], STAGES["postprocess"]], TilePlanned.model_construct(), tools))
    assert followed == [ended]
    assert tools.spent["wait"] >= BUSY
