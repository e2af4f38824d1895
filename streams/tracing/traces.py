"""Writes traces: all of an image's spans at once, before the image is ticked off, so that no death leaves half a trace.

Who dies in between is followed by somebody who does it again, and as ids are derived these are the same spans. That
makes sampling simple as well: what became of the image is known.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from observability.tracing import chosen, trace_id
from observability.tracing.spans import Exporter, Span
from storage.objects import NotFound, Store
from streams import runs
from streams.events import Event, ImageEnded, TilePredicted
from streams.jobs import ledger
from streams.tracing.spent import Spent
from streams.tracing.waterfall import ALONE, OF_JOBS, Facts, image_spans, job_spans, run_spans

KEPT = 500
"""Jobs remembered at most."""
KEPT_TRACES = 10_000
"""Remembered as told; what ends more than once does so within seconds, or has been ticked off."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which traces are kept: so many of all; everything rejected, retried, or slower than so many seconds."""

    ratio: float = 1.0
    slow_seconds: float = 60.0

    def keeps(self, ended: ImageEnded, root: Span) -> bool:
        """Whether the trace of an image that came to this end is kept."""
        retried = any(run.attempt for run in ended.ran or ()) or len(ended.ran or ()) > 1
        slow = root.ended - root.begun > self.slow_seconds * 1e9
        return ended.outcome == "rejected" or retried or slow or chosen(root.trace, self.ratio)


class Traces:
    """Tells a collector of spans what happened. What it can't reach is dropped: traces hold nobody up."""

    def __init__(self, store: Store, exporter: Exporter, sampling: Sampling = Sampling()) -> None:
        self._store = store
        self._exporter = exporter
        self._sampling = sampling
        self._facts: dict[tuple[str, int], Facts | None] = {}
        self._told: dict[int, asyncio.Future[None]] = {}
        self._queued: list[Span] = []
        self._sending = asyncio.Lock()

    async def tell_image(self, ended: ImageEnded, collected: Spent) -> None:
        """Have the whole trace of an image that ended sent with the next `flush`; raises the store's errors.

        Of several ends of an image in one round the first tells; the others wait until it has.
        """
        trace = trace_id(ended.job, ended.image, ended.round)
        if trace not in self._told:
            while len(self._told) >= KEPT_TRACES:
                self._told.pop(next(iter(self._told)))
            self._told[trace] = asyncio.ensure_future(self._tell_image(ended, collected))
        try:
            await asyncio.shield(self._told[trace])
        except Exception:
            self._told.pop(trace, None)
            raise

    async def tell_run(self, events: Sequence[Event], spent: Spent) -> None:
        """Write what no image's end will tell of: a job's listing and its slices, a tile among others."""
        ran = spent.runs()
        if not ran or ran[-1].chain not in ALONE or not events:
            return
        run, first = ran[-1], events[0]
        if isinstance(first, TilePredicted):
            self._queued += run_spans(first.job, first.image, first.round, run, spent.now())
        elif run.chain in OF_JOBS and (facts := await self._known(first.job, 0)):
            self._queued += job_spans(first.job, facts.begun, run, len(events), spent.now())
        await self.flush()

    async def flush(self) -> None:
        """Send all that was told so far, and return when it has arrived, or nobody takes it."""
        async with self._sending:
            spans, self._queued = self._queued, []
            if spans:
                await self._exporter.export(spans)

    async def _tell_image(self, ended: ImageEnded, collected: Spent) -> None:
        facts = await self._known(ended.job, ended.round)
        if facts is None:
            return
        if ended.ran is None:
            ended = await asyncio.to_thread(self._noted, ended)
        spans = image_spans(ended, facts, collected)
        if self._sampling.keeps(ended, spans[0]):
            self._queued += spans

    async def _known(self, job: str, round_: int) -> Facts | None:
        if (job, round_) not in self._facts:
            facts = await asyncio.to_thread(self._read, job, round_)
            while len(self._facts) >= KEPT:
                self._facts.pop(next(iter(self._facts)))
            self._facts[job, round_] = facts
        return self._facts[job, round_]

    def _read(self, job: str, round_: int) -> Facts | None:
        try:
            accepted = ledger.read_job(self._store, job)
            begun = ledger.read_round(self._store, job, round_).created if round_ else accepted.created
        except (ledger.NoSuchJob, NotFound):
            return None
        return Facts(begun, accepted.model)

    def _noted(self, ended: ImageEnded) -> ImageEnded:
        """The end with what its object's note tells: whoever announced it did not make it."""
        try:
            note = self._store.stat(ended.claimed[0]).note
        except NotFound:
            return ended
        return ended.model_copy(update={"ran": runs.noted(note)})
