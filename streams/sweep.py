"""The sweeper: somebody looks, once a minute, at every job that has not ended (rule 4).

What stands still is announced again: at once where the topics are empty, so that its messages must have vanished; after
a while where only a job's last few images are left, though others are queued for hours; and otherwise at half of its
deadline. At the deadline it is rejected. An outage is nobody's fault: the clock stands still.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from observability.cost import Usage
from observability.logs import log
from storage import keys
from storage.objects import Store, StoreError
from streams import overdue
from streams.events import Event, Lane
from streams.jobs import budgets, ending, ledger, markers
from streams.jobs.accounts import Accounts
from streams.jobs.records import Cancelled, Clock, Held, Job, Round
from streams.jobs.remembered import BELIEVED_SECONDS
from streams.jobs.tally import numbers
from streams.unzip import whole

SECONDS = 60.0
"""Between two looks."""
SETTLE_SECONDS = 600.0
"""A cancelled job's end is written so much later: what was under way has landed by then."""
RELEASE_SECONDS = 2 * BELIEVED_SECONDS
"""So long after a release somebody may still believe the marker, and pass events over."""
STRAGGLE_SECONDS = 600.0
"""When a job has stood still for so long, with few images left, their messages are taken for vanished."""
MOST_STRAGGLERS = 100
"""Few: at most so many, and at most one in ten. They are announced among the small jobs, or they would queue again."""
LONGEST_PAUSE = 3600.0
"""Between two announcements of what vanishes again and again."""
MOST_AT_ONCE = 10_000
"""Images of one job that are rejected in one look, or whose ends are announced again."""
THREADS = 4
"""Jobs looked at at once."""


@dataclass(frozen=True, slots=True)
class _View:
    """What one look sees of the whole system."""

    now: float
    idle: bool
    """No event was waiting or in work, now and at the look before."""
    healthy: bool
    held: Mapping[str, Held]

    def holds(self, job: Job) -> bool:
        return any(marker.released is None for marker in self._on(job))

    def released(self, job: Job) -> float:
        """When the job or its model was released last, if all have noticed; 0 where that was too long before it."""
        times = (marker.released or 0.0 for marker in self._on(job))
        first, last = job.created - RELEASE_SECONDS, self.now - RELEASE_SECONDS
        return max((at for at in times if first < at <= last), default=0.0)

    def _on(self, job: Job) -> list[Held]:
        names = (job.job, keys.MODEL + job.model_digest)
        return [self.held[name] for name in names if name in self.held]


@dataclass(frozen=True, slots=True)
class _Stands:
    """How a job stands, as far as this process can tell."""

    still: bool
    """No image has ended since the last look."""
    late: bool
    """Only a few images are left, and for long none has ended."""


@dataclass(frozen=True, slots=True)
class _Due:
    """What the clock of a job asks for, by round."""

    expired: frozenset[int]
    half: frozenset[int]
    vanished: bool
    """Nothing is in flight anywhere, and still images have no outcome."""
    straggling: bool
    """All but a few images ended long ago."""
    released: bool

    def __bool__(self) -> bool:
        return bool(self.expired or self.half or self.vanished or self.straggling or self.released)

    def again(self, round_: int) -> bool:
        """Whether the images of a round are to be announced again."""
        return self.vanished or self.straggling or self.released or round_ in self.half


class Sweeper:
    """Looks after the open jobs of one owner.

    Parameters
    ----------
    store
        The bucket.
    owns
        Whether a job is this process's to look after.
    backlog
        How many events are not finished in all topics; none where nobody can tell. It may block.
    healthy
        Whether an image could be worked on right now: a canary.
    now
        Seconds since 1970.
    seconds
        Between two looks.
    accounts
        What the jobs used; none: nobody counts.
    """

    def __init__(
        self,
        store: Store,
        owns: Callable[[str], bool],
        backlog: Callable[[], int | None],
        healthy: Callable[[], Awaitable[bool]],
        now: Callable[[], float] = time.time,
        seconds: float = SECONDS,
        accounts: Accounts | None = None,
    ) -> None:
        self._store = store
        self._owns = owns
        self._backlog = backlog
        self._healthy = healthy
        self._now = now
        self._seconds = seconds
        self._accounts = accounts or Accounts()
        self._was_idle = False
        self._ended: dict[str, tuple[int, float]] = {}
        """By job, how many images had ended at the last look, and since when it were so many."""
        self._threads = ThreadPoolExecutor(THREADS, "sweep")

    async def look(self) -> list[Event]:
        """Look at every job once; returns what is to be announced. Raises nothing: the next look comes soon."""
        try:
            view = await self._view()
            names = await self._in_thread(self._mine)
        except Exception as error:
            log().warning("sweep_waits", error=repr(error))
            return []
        self._ended = {name: self._ended[name] for name in names if name in self._ended}
        found = await asyncio.gather(*(self._in_thread(self._visit_safely, name, view) for name in names))
        return [event for events in found for event in events]

    async def _view(self) -> _View:
        healthy = await self._healthy()
        empty = await self._in_thread(self._backlog) == 0
        held = {marker.what: marker for marker in await self._in_thread(markers.read_held, self._store)}
        idle, self._was_idle = empty and self._was_idle, empty
        return _View(self._now(), idle, healthy, held)

    def _mine(self) -> list[str]:
        names = [stat.key.removeprefix(keys.OPEN) for stat in self._store.list(keys.OPEN)]
        return [name for name in names if self._owns(name)]

    def _visit_safely(self, name: str, view: _View) -> list[Event]:
        try:
            return self._visit(name, view)
        except StoreError as error:
            log().warning("sweep_of_job_waits", job=name, error=str(error))
        except Exception as error:  # one job that can't be read must not keep all others waiting
            log().error("sweep_of_job_failed", job=name, error=repr(error))
        return []

    def _visit(self, name: str, view: _View) -> list[Event]:
        store = self._store
        clock, job = ledger.read(store, keys.open_job(name), Clock), ledger.read(store, keys.job(name), Job)
        if clock is None or job is None:
            return []
        rounds = ledger.read_rounds(store, name)
        clock = self._advance(clock, view, rounds[-1].round if rounds else 0, view.holds(job))
        if ledger.read_done(store, name, clock.round):
            ending.close(store, name)
            return []
        cancelled = ledger.read(store, keys.cancelled(name), Cancelled)
        if cancelled:
            self._settle(job, cancelled, view.now)
            return []
        return self._look_after(job, rounds, clock, view)

    def _advance(self, clock: Clock, view: _View, newest: int, held: bool) -> Clock:
        """The clock at this look: it runs only while images could be worked on."""
        runs = view.healthy and not held
        passed = min(max(0.0, view.now - clock.looked), 2 * self._seconds) if clock.looked and runs else 0.0
        counted = clock.counted + passed
        away = "a part of the system does not answer; the deadline's clock stands still"
        known = {"looked": view.now, "waiting": "" if view.healthy or held else away}
        if newest == clock.round:
            return clock.model_copy(update={"counted": counted, **known})
        older = {**clock.ahead, clock.round: 0.0}
        ahead = {round_: counted + seconds for round_, seconds in older.items()}
        return clock.model_copy(update={"counted": 0.0, "round": newest, "ahead": ahead, **known})

    def _settle(self, job: Job, cancelled: Cancelled, now: float) -> None:
        if now - cancelled.created < SETTLE_SECONDS:
            return
        if ledger.read_index(self._store, job.job) is None:
            ledger.write_manifest(self._store, job.job, [whole(job)], Lane.INTERACTIVE)
        ending.finish(self._store, job.job, cancelled, self._accounts.owed(job.job))
        self._store.delete([stat.key for stat in self._store.list(keys.scratch_prefix(job.job))])

    def _look_after(self, job: Job, rounds: list[Round], clock: Clock, view: _View) -> list[Event]:
        index = ledger.read_index(self._store, job.job)
        ticked = ledger.read_tallies(self._store, job.job, rounds)
        images = index.images if index else 1
        missing = ticked.missing(images)
        if index and not missing and ending.finish(self._store, job.job, owed=self._accounts.owed(job.job)):
            return []
        ended = ticked.standing(images).ended()
        stood = self._stood(job.job, ended, view.now)
        clock = clock if stood else clock.model_copy(update={"repeats": 0, "again": 0.0})
        late = stood >= STRAGGLE_SECONDS and _are_few(images - ended, images)
        due = _due(job, rounds, clock, view, missing, _Stands(stood > 0, late))
        self._keep(self._noted(clock, due, view, job), job, view)
        if not due:
            return []
        if index is None:
            return overdue.time_out_listing(self._store, job) if due.expired else [overdue.upload_again(job)]
        found = ledger.read_outcomes(self._store, job.job, rounds)
        ends = overdue.ends_again(job.job, index.lane, found, ticked.standing(images), images)
        lane = Lane.INTERACTIVE if due.straggling else index.lane
        return [*islice(ends, MOST_AT_ONCE), *self._act(job, lane, rounds, due, found.missing(images))]

    def _stood(self, job: str, ended: int, now: float) -> float:
        """For how many seconds no image of a job has ended, as far as this process can tell."""
        before, since = self._ended.get(job, (None, now))
        since = since if before == ended else now
        self._ended[job] = ended, since
        return now - since

    def _keep(self, clock: Clock, job: Job, view: _View) -> None:
        """Write the clock down, with what the job used; hold the job if that was more than it may cost."""
        owed = self._accounts.owed(job.job)
        usage = clock.usage.plus(owed) if clock.usage else owed if owed != Usage() else None
        ledger.write(self._store, keys.open_job(job.job), clock.model_copy(update={"usage": usage}))
        self._accounts.keep(job.job, usage or owed, owed)
        if not view.holds(job):
            budgets.watch(self._store, job, usage, view.now, self._accounts.prices)

    def _noted(self, clock: Clock, due: _Due, view: _View, job: Job) -> Clock:
        update: dict[str, Any] = {"half": sorted({*clock.half, *due.half})}
        if due.vanished or due.straggling:
            first = STRAGGLE_SECONDS if due.straggling else self._seconds
            pause = min(LONGEST_PAUSE, first * 2**clock.repeats)
            update |= {"repeats": clock.repeats + 1, "again": view.now + pause}
        if due.released:
            update["released"] = view.released(job)
        return clock.model_copy(update=update)

    def _act(self, job: Job, lane: Lane, rounds: list[Round], due: _Due, missing: dict[int, int]) -> list[Event]:
        deadlines = {0: job.deadline} | {round_.round: round_.deadline for round_ in rounds}
        events: list[Event] = []
        for round_ in due.expired & missing.keys():
            some = islice(numbers(missing.pop(round_)), MOST_AT_ONCE)
            events += overdue.time_out(self._store, job, lane, round_, some, deadlines[round_])
        waiting = {round_: images for round_, images in missing.items() if due.again(round_)}
        events += overdue.slices_again(job.job, lane, waiting)
        log().info("sweep_acts", job=job.job, due=repr(due), events=len(events))
        return events

    async def _in_thread(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)


def _are_few(left: int, images: int) -> bool:
    return left <= MOST_STRAGGLERS and 10 * left <= images


def _due(job: Job, rounds: list[Round], clock: Clock, view: _View, missing: dict[int, int], stands: _Stands) -> _Due:
    limits = {0: job.deadline} | {each.round: each.deadline for each in rounds}
    waiting = missing.keys() or limits.keys()  # a tally that claims more than there is says nothing
    works = view.healthy and not view.holds(job)
    expired = {round_ for round_ in waiting if clock.spent(round_) >= limits[round_]}
    half = {round_ for round_ in waiting - expired if works and clock.spent(round_) >= limits[round_] / 2}
    may = works and stands.still and view.now >= clock.again
    return _Due(
        expired=frozenset(expired),
        half=frozenset(half - set(clock.half)),
        vanished=may and view.idle,
        straggling=may and not view.idle and stands.late,
        released=works and view.released(job) > clock.released,
    )
