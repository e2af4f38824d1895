"""What a stage is given: the store, the models, Triton, the claims of its run, and room to work in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from inference.models import Model
from observability.cost import Prices
from storage.claims import Claims
from storage.objects import Store
from storage.operations import Since
from streams.containment import Solitude
from streams.courtesy import Courtesy
from streams.decoders.decoder import Decoder, InProcess
from streams.events import ImageFound, Lane
from streams.failure import Rejected
from streams.fanin import FanIn
from streams.gate import Gate, Predictor
from streams.jobs.accounts import Accounts
from streams.jobs.ends import Ends
from streams.jobs.markers import Markers
from streams.jobs.tallies import Tallies, nothing
from streams.listing import Listing
from streams.outages import Outages
from streams.patience import Patience
from streams.room import Room, Share
from streams.streak import Streaks
from streams.tracing.spent import Spent
from streams.tracing.traces import Traces
from streams.workshop import Workshop

P = ParamSpec("P")
T = TypeVar("T")
FETCHING_THREADS = 16
RESERVED_MEGAPIXELS = 4.0
"""Of the interactive lane, beyond what all have together."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where work is cut, as settings say."""

    chained_tiles: int
    interactive_images: int


@dataclass(frozen=True, slots=True)
class Tools:
    """Shared by all runs of a process, but for `lane`, `claims`, `share`, `patience` and `spent`: one run's own."""

    store: Store
    models: Mapping[str, Model]
    gate: Gate
    """The way to Triton."""
    claims: Claims
    room: Room
    share: Share
    fanin: FanIn
    tallies: Tallies
    limits: Limits
    markers: Markers
    ends: Ends
    workshop: Workshop
    decoder: Decoder
    since: Since
    """What this process has asked of the store."""
    traces: Traces | None = None
    """Writes traces; none where nothing is traced."""
    solitude: Solitude = field(default_factory=Solitude)
    streaks: Streaks = field(default_factory=Streaks)
    outages: Outages = field(default_factory=Outages)
    listing: Listing = field(default_factory=Listing)
    courtesy: Courtesy = field(default_factory=Courtesy)
    lane: Lane = Lane.BULK
    patience: Patience = field(default_factory=Patience)
    spent: Spent = field(default_factory=Spent)
    fetching: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FETCHING_THREADS, "fetch"))

    @classmethod
    def of(
        cls,
        store: Store,
        models: Mapping[str, Model],
        triton: Predictor,
        megapixels: float,
        limits: Limits,
        decoder: Decoder | None = None,
        traces: Traces | None = None,
        prices: Prices | None = None,
    ) -> "Tools":
        """The tools of one process; without a decoder, it reads images itself."""
        workshop, room, since = Workshop(), Room(megapixels, RESERVED_MEGAPIXELS), Since()
        accounts = Accounts(prices, since=since)
        return cls(
            store=store,
            models=models,
            gate=Gate(triton),
            claims=Claims(store),
            room=room,
            share=Share(room),
            fanin=FanIn(store),
            tallies=Tallies(store, before=traces.flush if traces else nothing, accounts=accounts),
            limits=limits,
            markers=Markers(store),
            ends=Ends(store),
            workshop=workshop,
            decoder=decoder or InProcess(store, workshop),
            since=since,
            traces=traces,
        )

    def for_run(self, lane: Lane = Lane.BULK, spent: Spent | None = None) -> "Tools":
        """The same tools with what belongs to one run anew; its time may have been counted for a while."""
        spent = Spent() if spent is None else spent
        patience = Patience()
        share = Share(self.room, patience, urgent=lane is Lane.INTERACTIVE)
        return replace(self, lane=lane, claims=Claims(self.store), share=share, patience=patience, spent=spent)

    def timed(self, phase: str) -> AbstractContextManager[None]:
        """Count the time until the block ends to a phase of this run."""
        return self.spent.timed(phase)

    def model(self, found: ImageFound) -> Model:
        """The model the image's job was accepted with; raises `Rejected` where this process knows no such one."""
        model = self.models.get(found.model)
        if model is None or model.digest != found.model_digest:
            known = f"{found.model} {found.model_digest[:12]}"
            raise Rejected("model_error", f"{found.name}: the model {known} is not known here any more")
        return model

    def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run something that needs a core, in one of few threads; raises `Hung` where it never ends."""
        return self.workshop.run(self.lane, lambda: work(*args, **kwargs))

    def fetch(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run something that waits for the store, in a thread."""
        return asyncio.get_running_loop().run_in_executor(self.fetching, lambda: work(*args, **kwargs))
