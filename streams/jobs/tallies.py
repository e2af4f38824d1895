"""The tallies of the jobs this process owns: ticked in memory, made durable twice a second, then acknowledged."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from observability.cost import Asked
from observability.logs import log
from storage import keys
from storage.objects import Store
from streams.jobs import ending, ledger, markers
from streams.jobs.accounts import Accounts
from streams.jobs.records import Clock, Job
from streams.jobs.tally import LABELLED, REJECTED, RoundTallies

SECONDS = 0.5
"""Between two checkpoints; an owner writes its tally of a job no more often, and progress is seen within a second."""
BELIEVED_SECONDS = 300.0
"""What a job's tally was read from is read again after so long: less than a cancelled job takes to settle."""
KEPT = 500
"""Jobs remembered at most, but for those with a tick on its way; a forgotten one is read again."""


async def nothing() -> None:
    """Nothing has to be done before."""


@dataclass(slots=True)
class _Known:
    """One job as it was read, and as it was ticked since."""

    images: int
    over: bool
    cancelled: bool
    tally: RoundTallies
    since: float = field(default_factory=time.monotonic)
    """When its first image ended here, or it was first met after a move."""
    read: float = field(default_factory=time.monotonic)
    dirty: set[int] = field(default_factory=set)
    """Rounds with ticks that the bucket doesn't know."""
    waiting: asyncio.Future[None] | None = None
    """Done when it knows them."""
    saving: bool = False
    left: int = 0
    """Images without an outcome at the last checkpoint, less the ticks since."""

    def take(self, other: "_Known") -> None:
        """Take over what was read anew; ticks are never unlearnt, or the bucket would unlearn them too."""
        self.images, self.over, self.cancelled, self.read = other.images, other.over, other.cancelled, other.read
        self.tally.merge(other.tally)
        self.count()

    def count(self) -> None:
        """Find out how many images have no outcome yet."""
        self.left = self.images - self.tally.standing(self.images).ended()

    def states(self) -> dict[str, int]:
        """Images by state."""
        labelled, rejected = self.tally.standing(self.images).counts()
        rest = self.images - labelled - rejected
        left = {"cancelled": rest, "in_flight": 0} if self.cancelled else {"cancelled": 0, "in_flight": rest}
        return {"labelled": labelled, "rejected": rejected, **left}

    def tells(self, image: int, labelled: bool, round_: int) -> bool:
        """Whether what was read is enough to judge an outcome."""
        if time.monotonic() - self.read > BELIEVED_SECONDS or round_ > self.tally.newest:
            return False
        return not self.over or self.tally.holds(image, labelled, round_)


class Tallies:
    """All jobs with an outcome in flight here. `tick` returns when the tick is durable.

    Parameters
    ----------
    store
        Where tallies lie.
    seconds
        Between two checkpoints.
    before
        What has to be done before ticks become durable.
    accounts
        What the jobs used.
    """

    def __init__(
        self,
        store: Store,
        seconds: float = SECONDS,
        before: Callable[[], Awaitable[None]] = nothing,
        accounts: Accounts | None = None,
    ) -> None:
        self.accounts = accounts or Accounts()
        self._store = store
        self._seconds = seconds
        self._before = before
        self._owner = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        self._jobs: dict[str, _Known] = {}
        self._stale: set[str] = set()
        self._flushing: asyncio.Task[None] | None = None
        self._loading = asyncio.Lock()

    async def tick(self, job: str, image: int, labelled: bool, round_: int = 0, asked: Asked | None = None) -> None:
        """Tick an image off, and wait until the bucket knows. Raises the store's errors: then nothing is certain."""
        known = await self._known(job, image, labelled, round_)
        if known is None or known.over:
            return
        if image >= known.images or round_ > known.tally.newest:
            log().warning("outcome_beyond_manifest", job=job, image=image, round=round_)
            return
        if not known.tally.of(round_).knows(image):
            self.accounts.charge(job, asked)
        known.tally.of(round_).mark(image, LABELLED if labelled else REJECTED)
        known.dirty.add(round_)
        known.left -= 1
        durable = self._checkpoint(known)
        if known.left <= 0:
            await asyncio.shield(self._flush(job, known))  # whoever waits for the job waits for this one
        await asyncio.shield(durable)

    async def awaits(self, job: str, image: int, labelled: bool, round_: int = 0) -> bool:
        """Whether a tick of this image would be news."""
        known = await self._known(job, image, labelled, round_)
        return known is not None and not known.over and not known.tally.of(round_).knows(image)

    def forget(self) -> None:
        """Partitions moved: another owner may have ticked off what we don't know, so each job is read again."""
        self._stale |= self._jobs.keys()

    def states(self, most: int) -> dict[str, dict[str, int]]:
        """Images by state of the newest jobs that have not ended, as known here; may be asked in any thread."""
        ours = [(job, known) for job, known in list(self._jobs.items()) if job not in self._stale and not known.over]
        newest = sorted(ours, key=lambda each: each[1].since, reverse=True)[:most]
        return {job: known.states() for job, known in newest}

    async def _known(self, job: str, image: int, labelled: bool, round_: int) -> _Known | None:
        async with self._loading:
            known = self._jobs.get(job)
            if known is None or job in self._stale or not known.tells(image, labelled, round_):
                return await self._read(job)
            return known

    async def _read(self, job: str) -> _Known | None:
        found = await asyncio.to_thread(self._load, job)
        self._stale.discard(job)
        if found is None:
            return None
        known = self._jobs.pop(job, found)
        known.take(found)
        self._jobs[job] = known
        idle = [other for other, each in self._jobs.items() if not each.waiting and not each.saving]
        for other in idle[: max(0, len(self._jobs) - KEPT)]:
            self._drop(other)
        return known

    def _drop(self, job: str) -> None:
        self._jobs.pop(job, None)
        self._stale.discard(job)
        self.accounts.close(job)

    def _load(self, job: str) -> _Known | None:
        """What the job's owners ticked off so far, or its outcomes where it is over; none where it was never listed."""
        index = ledger.read_index(self._store, job)
        if index is None:
            return None
        rounds, cancelled = ledger.read_rounds(self._store, job), markers.is_cancelled(self._store, job)
        done = ledger.read_done(self._store, job, max((round_.round for round_ in rounds), default=0))
        if done is None:
            self._count(job)
            return _Known(index.images, False, cancelled, ledger.read_tallies(self._store, job, rounds))
        outcomes = ledger.read_outcomes(self._store, job, rounds)
        if outcomes.standing(index.images).counts() != (done.labelled, done.rejected):
            ending.finish(self._store, job)  # something came after all
        return _Known(index.images, True, cancelled, outcomes)

    def _count(self, job: str) -> None:
        accepted = ledger.read(self._store, keys.job(job), Job)
        clock = ledger.read(self._store, keys.open_job(job), Clock)
        if accepted:
            self.accounts.open(accepted, clock.usage if clock else None)

    def _checkpoint(self, known: _Known) -> asyncio.Future[None]:
        if known.waiting is None:
            known.waiting = asyncio.get_running_loop().create_future()
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())
        return known.waiting

    async def _flush_soon(self) -> None:
        while any(known.waiting for known in self._jobs.values()):
            await asyncio.sleep(self._seconds)
            for job, known in list(self._jobs.items()):
                await self._flush(job, known)

    async def _flush(self, job: str, known: _Known) -> None:
        if known.saving or known.waiting is None:  # an older tally must not land over a newer one
            return
        waiting, known.waiting = known.waiting, None
        dirty, known.dirty = known.dirty, set()
        ticked = {round_: known.tally.of(round_).encode() for round_ in dirty}  # what comes meanwhile is not told yet
        known.count()
        left, known.saving = known.left, True
        try:
            await self._before()
            over = await asyncio.to_thread(self._save, job, known, ticked, left)
        except Exception as error:
            known.dirty |= dirty
            waiting.set_exception(error)
            waiting.exception()  # whoever waits sees it; if all have gone, nobody needs to
        else:
            waiting.set_result(None)
            if over and not known.waiting:
                self._drop(job)
        finally:
            known.saving = False

    def _save(self, job: str, known: _Known, ticked: Mapping[int, bytes], left: int) -> bool:
        """Make the ticks durable; whether the job is over, of which so many images are left then."""
        for round_, tally in ticked.items():
            self._store.put(keys.tally(job, self._owner, round_), tally)
        if left and not self._settled(job, known):
            return False
        return ending.finish(self._store, job, owed=self.accounts.owed(job)) is not None

    def _settled(self, job: str, known: _Known) -> bool:
        return known.cancelled and ledger.read_done(self._store, job) is not None
