"""What a stage is given: the store, the models, Triton, the claims of its run, and room to work in."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.models import Model
from storage.claims import Claims, Pixels
from storage.objects import Store
from streams.budget import Budget, Share
from streams.events import ImageFound
from streams.failure import Rejected
from streams.fanin import FanIn
from streams.tallies import Tallies

P = ParamSpec("P")
T = TypeVar("T")
COMPUTING_THREADS = 2
FETCHING_THREADS = 16


class Predictor(Protocol):
    """Whoever turns a tile into maps: Triton, or a stand-in of the tests."""

    async def infer(self, model: Model, tile: Pixels, low: float, high: float) -> NDArray[np.uint8]:
        """Maps of shape (2, height, width) for a tile of shape (height, width)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where work is cut, as settings say."""

    chained_tiles: int
    interactive_images: int


@dataclass(frozen=True, slots=True)
class Tools:
    """Shared by all runs of a process, but for `claims`, `share` and `spent`, which belong to one run."""

    store: Store
    models: Mapping[str, Model]
    triton: Predictor
    claims: Claims
    budget: Budget
    share: Share
    fanin: FanIn
    tallies: Tallies
    limits: Limits
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds of this run by phase: wait, fetch, decode, plan, model, post, store."""
    computing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(COMPUTING_THREADS, "compute"))
    fetching: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FETCHING_THREADS, "fetch"))

    @classmethod
    def of(
        cls, store: Store, models: Mapping[str, Model], triton: Predictor, megapixels: float, limits: Limits
    ) -> "Tools":
        """The tools of one process."""
        budget = Budget(megapixels)
        return cls(
            store=store,
            models=models,
            triton=triton,
            claims=Claims(store),
            budget=budget,
            share=Share(budget),
            fanin=FanIn(store),
            tallies=Tallies(store),
            limits=limits,
        )

    def for_run(self) -> "Tools":
        """The same tools with claims and a share of the budget of their own."""
        return replace(self, claims=Claims(self.store), share=Share(self.budget), spent=defaultdict(float))

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Count the time until the block ends to a phase of this run."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent[phase] += time.perf_counter() - begun

    def model(self, found: ImageFound) -> Model:
        """The model the image's job was accepted with; raises `Rejected` where this process knows no such one."""
        model = self.models.get(found.model)
        if model is None or model.digest != found.model_digest:
            known = f"{found.model} {found.model_digest[:12]}"
            raise Rejected("model_error", f"{found.name}: the model {known} is not known here any more")
        return model

    def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run something that needs a core, in one of two threads."""
        return _in(self.computing, work, *args, **kwargs)

    def fetch(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run something that waits for the store, in a thread."""
        return _in(self.fetching, work, *args, **kwargs)


def _in(pool: ThreadPoolExecutor, work: Callable[..., T], *args: Any, **kwargs: Any) -> Awaitable[T]:
    return asyncio.get_running_loop().run_in_executor(pool, lambda: work(*args, **kwargs))
