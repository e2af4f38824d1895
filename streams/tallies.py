"""The tallies of the jobs this process owns: ticked in memory, made durable once a second, then acknowledged."""

import asyncio
import time
import uuid

from storage import keys
from storage.objects import Store
from streams import ledger
from streams.ledger import Done
from streams.tally import LABELLED, REJECTED, Tally

SECONDS = 0.5
"""Between two checkpoints: no key is written more than once a second, and progress is seen within one."""


class Tallies:
    """All jobs with an outcome in flight here. `tick` returns when the tick is durable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        self._tallies: dict[str, Tally] = {}
        self._dirty: dict[str, asyncio.Future[None]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._loading = asyncio.Lock()

    async def tick(self, job: str, image: int, labelled: bool) -> None:
        """Tick an image off, and wait until the bucket knows. Raises the store's errors: then nothing is certain."""
        tally = await self._tally(job)
        if tally is None:
            return
        tally.mark(image, LABELLED if labelled else REJECTED)
        await asyncio.shield(self._checkpoint(job))

    async def _tally(self, job: str) -> Tally | None:
        async with self._loading:
            if job not in self._tallies:
                known = await asyncio.to_thread(self._load, job)
                if known is None:
                    return None
                self._tallies[job] = known
            return self._tallies[job]

    def _load(self, job: str) -> Tally | None:
        """What the job's owners ticked off so far; none where it is done, or was never accepted."""
        try:
            ledger.read_job(self._store, job)
        except ledger.NoSuchJob:
            return None
        return None if ledger.read_done(self._store, job) else ledger.tallied(self._store, job)

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
        index = ledger.read_index(self._store, job)
        if index is not None and tally.ended() >= index.images:
            self._finish(job, index.images)

    def _finish(self, job: str, images: int) -> None:
        outcomes = ledger.outcomes(self._store, job)
        if outcomes.ended() < images:
            return
        labelled, rejected = outcomes.counts()
        done = Done(job=job, images=images, labelled=labelled, rejected=rejected, finished=time.time())
        ledger.write(self._store, keys.done(job), done)
        self._store.delete([keys.open_job(job)])
        self._tallies.pop(job, None)
