"""Retention: what nobody needs any more goes, whole finished jobs by age; what is in use stays (rule 7).

A deleted job leaves a marker, at which stages pass its late events over.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from observability.logs import log
from storage import keys
from storage.objects import NotFound, Stat, Store
from streams.jobs import ending, ledger, markers
from streams.jobs.records import Deleted, Done, Job

DAY = 24 * 3600.0
SETTLED_SECONDS = 3600.0
"""A job that ended so long ago has nothing under way."""
MARKER_DAYS = 40.0
"""A deleted job's marker outlives every event that may still name it: topics keep them 7 days, offsets 30."""
WHOLE = "all"
"""The owner of a finished job's one tally."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things are kept."""

    orphan_days: float = 7.0
    """An upload that never became a job."""
    results_days: float = 0.0
    """A finished job with its results and its upload; 0: for ever."""


@dataclass(slots=True)
class Swept:
    """What went: jobs whole, the rest in objects."""

    jobs: int = 0
    uploads: int = 0
    scratch: int = 0
    leftovers: int = 0
    """Tallies, markers and records of what is not there any more."""
    reopened: int = 0
    """Jobs that had not ended, and that nobody looked after."""


def sweep(store: Store, keeping: Keeping | None = None, now: Callable[[], float] = time.time) -> Swept:
    """Remove what nobody needs. Safe to run at any time, and twice at once; raises the store's errors."""
    return _Sweep(store, keeping or Keeping(), now()).run()


@dataclass(slots=True)
class _Sweep:
    store: Store
    keeping: Keeping
    now: float
    swept: Swept = field(default_factory=Swept)
    jobs: dict[str, Job] = field(default_factory=dict)
    finished: dict[str, Done] = field(default_factory=dict)

    def run(self) -> Swept:
        self.jobs = {job.job: job for job in ledger.jobs(self.store)}
        self._resume()
        for name in self.jobs.keys() - set(ledger.open_jobs(self.store)):
            self._judge(self.jobs[name])
        self._expire()
        for name, done in self.finished.items():
            if self.now - done.finished > SETTLED_SECONDS:
                self.swept.scratch += self._remove(self.store.list(keys.scratch_prefix(name)))
                self.swept.leftovers += self._compact(name, done)
        self._remove_unowned()
        self._remove_orphans()
        self._remove_markers()
        return self.swept

    def _resume(self) -> None:
        """Go on where somebody was interrupted, or where a late label came to a deleted job."""
        there = set(ledger.ids(self.store))
        for marker in self._deleted():
            if marker.job in there:
                self._delete(marker)

    def _judge(self, job: Job) -> None:
        done = ledger.read_done(self.store, job.job)
        if done is not None:
            self.finished[job.job] = done
        elif self.now - job.created > SETTLED_SECONDS:
            ending.reopen(self.store, job.job)
            self.swept.reopened += 1

    def _expire(self) -> None:
        if not self.keeping.results_days:
            return
        for name, done in list(self.finished.items()):
            if self.now - done.finished > self.keeping.results_days * DAY:
                job = self.jobs[name]
                marker = Deleted(job=name, object=job.object, etag=job.etag, deleted=self.now)
                ledger.write(self.store, keys.deleted(name), marker)
                if ledger.exists(self.store, keys.open_job(name)):  # a replay has just begun
                    self.store.delete([keys.deleted(name)])
                    continue
                self._delete(marker)
                self.swept.jobs += 1
                log().info("job_expired", job=name, name=job.name)

    def _delete(self, marker: Deleted) -> None:
        """The acceptance first: from then on there is no such job; its results last: they show that this isn't over."""
        name = marker.job
        self.store.delete([keys.job(name)])
        self.jobs.pop(name, None)
        self.finished.pop(name, None)
        used = {job.object for job in self.jobs.values()}
        if keys.is_upload(marker.object) and marker.object not in used:
            self.store.delete([marker.object])
        for prefix in (keys.tallies(name), keys.notices(name), keys.scratch_prefix(name), keys.job_prefix(name)):
            self._remove(self.store.list(prefix))

    def _compact(self, name: str, done: Done) -> int:
        """Make one tally a round of those of all owners; counted from the outcomes where they disagree with the end."""
        stats = list(self.store.list(keys.tallies(name)))
        if stats and all(stat.key.endswith(f".{WHOLE}") for stat in stats):
            return 0
        found = ledger.read_tallies(self.store, name)
        if found.standing(done.images).counts() != (done.labelled, done.rejected):
            found = ledger.read_outcomes(self.store, name)
        for round_, tally in found.rounds.items():
            self.store.put(keys.tally(name, WHOLE, round_), tally.encode())
        return self._remove(stat for stat in stats if not stat.key.endswith(f".{WHOLE}"))

    def _remove_unowned(self) -> None:
        """What speaks of jobs that don't exist, once it is a day old."""
        for name in set(ledger.ids(self.store)) - self.jobs.keys():
            self.swept.leftovers += self._remove(self._older(keys.job_prefix(name), DAY))
        for prefix in (keys.TALLY, keys.NOTICES):
            for name in set(self.store.folders(prefix)) - self.jobs.keys():
                self.swept.leftovers += self._remove(self._older(f"{prefix}{name}/", DAY))
        for name in set(self.store.folders(keys.SCRATCH)) - self.jobs.keys():
            self.swept.scratch += self._remove(self._older(keys.scratch_prefix(name), DAY))
        opened = self._older(keys.OPEN, DAY)
        unowned = (stat for stat in opened if stat.key.removeprefix(keys.OPEN) not in self.jobs)
        self.swept.leftovers += self._remove(unowned)

    def _remove_orphans(self) -> None:
        used = {job.object for job in self.jobs.values()}
        prefixes = [keys.own(tenant, keys.UPLOADS) for tenant in ledger.tenants(self.store)]
        old = (stat for prefix in prefixes for stat in self._older(prefix, self.keeping.orphan_days * DAY))
        orphans = [stat for stat in old if stat.key not in used and keys.is_upload(stat.key)]
        if orphans:
            used = {job.object for job in ledger.jobs(self.store)}  # one may have been accepted meanwhile
            self.swept.uploads += self._remove(stat for stat in orphans if stat.key not in used)

    def _remove_markers(self) -> None:
        for marker in self._deleted():
            if self.now - marker.deleted > MARKER_DAYS * DAY and not self._is_there(marker):
                self.swept.leftovers += 1
                self.store.delete([keys.deleted(marker.job)])
        for stat in list(self.store.list(keys.HELD)):
            held = markers.read_marker(self.store, stat.key)
            if held and held.released is not None and self.now - held.released > DAY:
                self.swept.leftovers += self._remove([stat])

    def _deleted(self) -> list[Deleted]:
        found = (ledger.read(self.store, stat.key, Deleted) for stat in list(self.store.list(keys.DELETED)))
        return [marker for marker in found if marker is not None]

    def _is_there(self, marker: Deleted) -> bool:
        """Whether the deleted job's input could be taken for a new upload."""
        try:
            return self.store.stat(marker.object).etag == marker.etag
        except NotFound:
            return False

    def _older(self, prefix: str, seconds: float) -> Iterator[Stat]:
        return (stat for stat in self.store.list(prefix) if self.now - stat.modified > seconds)

    def _remove(self, stats: Iterable[Stat]) -> int:
        found = [stat.key for stat in stats]
        self.store.delete(found)
        return len(found)
