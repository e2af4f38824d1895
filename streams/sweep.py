"""The sweeper: somebody looks, once a minute, at every job that has not ended (rule 4).

What stands still is announced again: at once where the topics are empty, so that its messages must have vanished; after
a while where only a job's last few images are left, though others are queued for hours; and otherwise at half of its
deadline. At the deadline it is rejected. An outage is nobody's fault: the clock stands still.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from observability.cost import Usage
from observability.logs import log
from storage import keys
from storage.objects import Store, StoreError
from streams import deadlines, overdue
from streams.deadlines import Due, Stands, View
from streams.events import Event, Lane
from streams.jobs import budgets, ending, ledger, markers
from streams.jobs.accounts import Accounts
from streams.jobs.records import Cancelled, Clock, Job, Round
from streams.jobs.tally import numbers
from streams.unzip import whole

SECONDS = 60.0
"""Between two looks."""
SETTLE_SECONDS = 600.0
"""A cancelled job's end is written so much later: what was under way has landed by then."""
MOST_AT_ONCE = 10_000
"""Images of one job that are rejected in one look, or whose ends are announced again."""
THREADS = 4
"""Jobs looked at at once."""


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

    async def _view(self) -> View:
        healthy = await self._healthy()
        empty = await self._in_thread(self._backlog) == 0
        held = {marker.what: marker for marker in await self._in_thread(markers.read_held, self._store)}
        idle, self._was_idle = empty and self._was_idle, empty
        return View(self._now(), idle, healthy, held)

    def _mine(self) -> list[str]:
        return [name for name in ledger.open_jobs(self._store) if self._owns(name)]

    def _visit_safely(self, name: str, view: View) -> list[Event]:
        try:
            return self._visit(name, view)
        except StoreError as error:
            log().warning("sweep_of_job_waits", job=name, error=str(error))
        except Exception as error:  # one job that can't be read must not keep all others waiting
            log().error("sweep_of_job_failed", job=name, error=repr(error))
        return []

    def _visit(self, name: str, view: View) -> list[Event]:
        store = self._store
        clock, job = ledger.read(store, keys.open_job(name), Clock), ledger.read(store, keys.job(name), Job)
        if clock is None or job is None:
            return []
        rounds = ledger.read_rounds(store, name)
        newest = rounds[-1].round if rounds else 0
        clock = deadlines.advanced(clock, view, newest, view.holds(job), 2 * self._seconds)
        if ledger.read_done(store, name, clock.round):
            ending.close(store, name)
            return []
        cancelled = ledger.read(store, keys.cancelled(name), Cancelled)
        if cancelled:
            self._settle(job, cancelled, view.now)
            return []
        return self._look_after(job, rounds, clock, view)

    def _settle(self, job: Job, cancelled: Cancelled, now: float) -> None:
        if now - cancelled.created < SETTLE_SECONDS:
            return
        if ledger.read_index(self._store, job.job) is None:
            ledger.write_manifest(self._store, job.job, [whole(job)], Lane.INTERACTIVE)
        ending.finish(self._store, job.job, cancelled, self._accounts.owed(job.job))
        self._store.delete([stat.key for stat in self._store.list(keys.scratch_prefix(job.job))])

    def _look_after(self, job: Job, rounds: list[Round], clock: Clock, view: View) -> list[Event]:
        index = ledger.read_index(self._store, job.job)
        ticked = ledger.read_tallies(self._store, job.job, rounds)
        images = index.images if index else 1
        missing = ticked.missing(images)
        if index and not missing and ending.finish(self._store, job.job, owed=self._accounts.owed(job.job)):
            return []
        ended = ticked.standing(images).ended()
        stood = self._stood(job.job, ended, view.now)
        clock = clock if stood else clock.model_copy(update={"repeats": 0, "again": 0.0})
        due = deadlines.due(job, rounds, clock, view, missing, Stands(stood, images - ended, images))
        self._keep(deadlines.noted(clock, due, view, job, self._seconds), job, view)
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

    def _keep(self, clock: Clock, job: Job, view: View) -> None:
        """Write the clock down, with what the job used; hold the job if that was more than it may cost."""
        owed = self._accounts.owed(job.job)
        usage = clock.usage.plus(owed) if clock.usage else owed if owed != Usage() else None
        ledger.write(self._store, keys.open_job(job.job), clock.model_copy(update={"usage": usage}))
        self._accounts.keep(job.job, usage or owed, owed)
        if not view.holds(job):
            budgets.watch(self._store, job, usage, view.now, self._accounts.prices)

    def _act(self, job: Job, lane: Lane, rounds: list[Round], due: Due, missing: dict[int, int]) -> list[Event]:
        limits = deadlines.limits(job, rounds)
        events: list[Event] = []
        for round_ in due.expired & missing.keys():
            some = islice(numbers(missing.pop(round_)), MOST_AT_ONCE)
            events += overdue.time_out(self._store, job, lane, round_, some, limits[round_])
        waiting = {round_: images for round_, images in missing.items() if due.again(round_)}
        events += overdue.slices_again(job.job, lane, waiting)
        log().info("sweep_acts", job=job.job, due=repr(due), events=len(events))
        return events

    async def _in_thread(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
