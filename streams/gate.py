"""The way to Triton: so many requests at once, small jobs before large ones, behind a breaker (rules 18-20)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.models import Model
from storage.claims import Pixels
from streams import metering
from streams.breaker import Breaker
from streams.events import Lane
from streams.patience import Patience
from streams.tracing.spent import Interval, Spent

REQUESTS = 4
"""At once from one process: two model instances busy and their next tiles at hand. More would only wait at the server,
where a small job's tile would wait behind them."""
RESERVED = 1
"""Of these for the interactive lane alone."""


class Predictor(Protocol):
    """Whoever turns a tile into maps: Triton, or a stand-in of the tests."""

    async def infer(
        self, model: Model, tile: Pixels, low: float, high: float, took: Callable[[float], None]
    ) -> NDArray[np.uint8]:
        """Maps of shape (2, height, width) for a tile of shape (height, width).

        `took` hears for how many seconds the model computed, where anybody knows.
        """

    async def ready(self, model: Model) -> bool:
        """Whether the model answers a small inference, soon."""


class _Finer:
    """Where one tile's time goes: the wait for its turn, then for each request the server's queue and computing."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now, self._begun = now, now()
        self._inside = 0
        self._requests: list[Interval] = []

    def inside(self) -> None:
        """It is its turn."""
        self._inside = self._now()

    @contextmanager
    def asked(self) -> Iterator[Callable[[float], None]]:
        """One request; what the model did not compute of its time, it waited in the server's queue or travelled."""
        begun, computed = self._now(), [0.0]
        try:
            yield computed.append
        finally:
            ended = self._now()
            started = max(begun, ended - round(computed[-1] * 1e9))
            self._requests += [Interval("queue", begun, started), Interval("compute", started, ended)]

    def intervals(self) -> list[Interval]:
        """In their order; one that never got its turn has waited until now."""
        return [Interval("slot", self._begun, self._inside or self._now()), *self._requests]


@contextmanager
def _finer(spent: Spent) -> Iterator[_Finer]:
    """Told as one piece: tiles overlap, and each begins with its slot."""
    finer = _Finer(spent.now)
    try:
        yield finer
    finally:
        spent.finer += finer.intervals()


class Gate:
    """One process's way to one model server."""

    def __init__(self, predictor: Predictor, requests: int = REQUESTS) -> None:
        self._predictor = predictor
        self._most = {Lane.INTERACTIVE: requests, Lane.BULK: max(1, requests - RESERVED)}
        self._inside = 0
        self._hurried = 0
        self._changed = asyncio.Condition()
        self.breaker = Breaker()

    async def infer(
        self,
        model: Model,
        tile: Pixels,
        low: float,
        high: float,
        lane: Lane,
        patience: Patience,
        spent: Spent | None = None,
    ) -> NDArray[np.uint8]:
        """The tile's maps; waits for its turn, and for the server while it is away.

        Raises
        ------
        ModelFailed
            The model refuses this tile, or answers nonsense.
        ModelStumbled
            An error inside the server, or no answer in time while others get theirs.
        ModelKilled
            The server dies on it.
        """
        with _finer(Spent() if spent is None else spent) as finer:
            async with self._turn(lane, patience):
                finer.inside()
                return await self.breaker.ask(
                    lambda: self._asked(model, tile, low, high, finer), lambda: self._predictor.ready(model), patience
                )

    async def healthy(self, model: Model) -> bool:
        """Whether the model answers right now."""
        return await self._predictor.ready(model)

    async def _asked(self, model: Model, tile: Pixels, low: float, high: float, finer: _Finer) -> NDArray[np.uint8]:
        with metering.requested(model.name), finer.asked() as took:
            return await self._predictor.infer(model, tile, low, high, took)

    @asynccontextmanager
    async def _turn(self, lane: Lane, patience: Patience) -> AsyncIterator[None]:
        hurried = lane is Lane.INTERACTIVE
        self._hurried += hurried
        try:
            with patience.waiting():
                async with self._changed:
                    await self._changed.wait_for(lambda: self._fits(lane))
                    self._inside += 1
        finally:
            self._hurried -= hurried
        try:
            yield
        finally:
            self._inside -= 1
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, lane: Lane) -> bool:
        first = lane is Lane.INTERACTIVE or not self._hurried
        return first and self._inside < self._most[lane]
