"""A stand for stages: a store in memory, and a predictor that needs no server."""

import asyncio
import io
import zipfile
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from inference.models import Model, shipped_models
from inference.triton import ModelUnavailable
from storage.memory import MemoryStore
from streams.events import Event, ImageEnded, Rejection, UploadReceived
from streams.jobs import ledger
from streams.stages import chain
from streams.tools import Limits, Tools
from streams.work import policy


class Bright:
    """Predicts that whatever is brighter than halfway is foreground; its distance map is the brightness itself."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails: list[Exception] = []
        self.away = 0
        """So many canaries find nobody; requests meanwhile find nobody either."""

    async def infer(
        self, model: Model, tile: NDArray[Any], low: float, high: float, took: Callable[[float], None]
    ) -> NDArray[np.uint8]:
        self.calls += 1
        took(0.0)
        if self.away:
            raise ModelUnavailable("away")
        if self.fails:
            raise self.fails.pop(0)
        scaled = np.clip((tile.astype(np.float32) - low) / (high - low), 0, 1) * 255
        return np.stack([scaled, scaled]).astype(np.uint8)

    async def ready(self, model: Model) -> bool:
        self.away = max(0, self.away - 1)
        return not self.away


def tools(store: MemoryStore | None = None, predictor: Bright | None = None, chained_tiles: int = 16) -> Tools:
    limits = Limits(chained_tiles=chained_tiles, interactive_images=20)
    return Tools.of(store or MemoryStore(), shipped_models(), predictor or Bright(), 10, limits)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def tiff(shape: tuple[int, int] = (64, 80), seed: int = 0) -> bytes:
    """An image with a few bright discs on noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = rng.normal(200, 10, shape)
    for _ in range(max(4, shape[0] * shape[1] // 2000)):
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        image += 3000 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 60)
    file = io.BytesIO()
    tifffile.imwrite(file, np.clip(image, 0, 65535).astype(np.uint16))
    return file.getvalue()


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return file.getvalue()


class Queue:
    """A whole pipeline without Kafka: every event is taken as often as it is announced, at the chain that reads it."""

    def __init__(self, given: Tools, chains: tuple[str, ...]) -> None:
        self.tools = given
        self.chains = {chain(name)[0].takes: chain(name) for name in chains}
        self.seen: list[Event] = []

    async def work(self, *events: Event) -> list[Event]:
        """Until nothing is left; returns every event there was."""
        waiting, ends = list(events), []
        while waiting:
            event = waiting.pop(0)
            self.seen.append(event)
            if isinstance(event, ImageEnded):
                ends.append(event)
            else:
                waiting += await self._answer(event)
        await asyncio.gather(*map(self._answer, ends))  # their ticks wait for one checkpoint together
        return self.seen

    async def _answer(self, event: Event) -> list[Event]:
        stages = self.chains.get(type(event))
        if stages is None:
            return []
        message = policy.Message(event.address, 0, 0, event.encode())
        return list((await policy.answer(stages, message, self.tools)).events)


SIZED: dict[str, Any] = {"diameter": 24}
"""With these options a stage has no size to estimate, so the model is asked for the image's tiles alone."""
CHAINED = ("unzip", "announce", "tile+predict+postprocess", "predict", "postprocess", "collect")


def submit(given: Tools, data: bytes, name: str = "plate.zip", **fields: Any) -> list[Event]:
    """Put an upload into the store and work until everything has ended; by default the size is given."""
    key = f"uploads/u1/{name}"
    given.store.put(key, data)
    events: list[Event] = run(Queue(given, CHAINED).work(UploadReceived(object=key, **{"options": SIZED} | fields)))
    return events


def only_rejection(store: MemoryStore) -> Rejection:
    """The story of the one image that was rejected, of the one job there is."""
    (rejection,) = ledger.rejections(store, next(ledger.jobs(store)).job)
    return rejection
