"""The tallies of the jobs this process owns: ticked in memory, made durable twice a second, then acknowledged."""

import asyncio
import time
import uuid

from observability.logs import log
from storage import keys
from storage.objects import Store
from streams import ledger
from streams.ledger import Done
from streams.tally import LABELLED, REJECTED, Tally

SECONDS = 0.5
"""Between two checkpoints; an owner writes its tally of a job no more often, and progress is seen within a second."""


class Tallies:
    """All jobs with an outcome in flight here. `tick` returns when the tick is durable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        self._tallies: dict[str, Tally] = {}
        self._images: dict[str, int] = {}
        self._stale: set[str] = set()
        self._dirty: dict[str, asyncio.Future[None]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._loading = asyncio.Lock()

    async def tick(self, job: str, image: int, labelled: bool) -> None:
        """Tick an image off, and wait until the bucket knows. Raises the store's errors: then nothing is certain."""
        tally = await self._tally(job)
        if tally is None:
            return
        if image >= self._images[job]:
            log().warning("outcome_beyond_manifest", job=job, image=image)
            return
        tally.mark(image, LABELLED if labelled else REJECTED)
        await asyncio.shield(self._checkpoint(job))

    async def _tally(self, job: str) -> Tally | None:
        async with self._loading:
            if job not in self._tallies or job in self._stale:
                known = await asyncio.to_thread(self._load, job)
                if known is None:
                    return None
                self._stale.discard(job)
                self._tallies.setdefault(job, Tally()).merge(known)
            return self._tallies[job]

    def forget(self) -> None:
        """Partitions moved: another owner may have ticked off what we don't know, so each job is read again."""
        self._stale |= self._tallies.keys()

    def _load(self, job: str) -> Tally | None:
        """What the job's owners ticked off so far; none where it is done, or was never listed."""
        index = ledger.read_index(self._store, job)
        if index is None or ledger.read_done(self._store, job):
            return None
        self._images[job] = index.images
        return ledger.tallied(self._store, job)

    def _checkpoint(self, job: str) -> asyncio.Future[None]:
        if job not in self._dirty:
            self._dirty[job] = asyncio.get_running_loop().create_future()
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())
        return self._dirty[job]

    async def _flush_soon(self) -> None:
        while self._dirty:
            await asyncio.sleep(SECONDS)
            dirty, self._dirty = self._dirty, {}
            for job, waiting in dirty.items():
                await self._flush(job, waiting)

    async def _flush(self, job: str, waiting: asyncio.Future[None]) -> None:
        try:
            await asyncio.to_thread(self._save, job)
        except Exception as error:
            waiting.set_exception(error)
            waiting.exception()  # whoever waits sees it; if all have gone, nobody needs to
        else:
            waiting.set_result(None)

    def _save(self, job: str) -> None:
        tally = self._tallies.get(job)
        if tally is None:
            return  # finished since: all outcomes were counted from the objects themselves
        self._store.put(keys.tally(job, self._owner), tally.encode())
        if tally.ended() >= self._images[job]:
            self._finish(job, self._images[job])

    def _finish(self, job: str, images: int) -> None:
        outcomes = ledger.outcomes(self._store, job, images)
        if outcomes.ended() < images:
            return
        labelled, rejected = outcomes.counts()
        done = Done(job=job, images=images, labelled=labelled, rejected=rejected, finished=time.time())
        ledger.write(self._store, keys.done(job), done)
        self._store.delete([keys.open_job(job)])
        self._tallies.pop(job, None)
