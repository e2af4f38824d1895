"""What each job has used: an image that ends pays for the time since another ended, and for what was asked meanwhile.

So the machine's time is shared out once, among those whose images come out of it, and never twice. Time in which
nothing ends for longer than a minute, as in an outage or while a job is held, is nobody's beyond that minute.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from observability import cost, metrics
from observability.cost import Asked, Cost, Prices, Usage
from storage.operations import Since
from streams.jobs.records import Job

MOST_SECONDS = 60.0
"""That one image pays for at most."""
Nodes = Callable[[], Mapping[str, float]]
"""How many nodes of each type work for the jobs that are counted here."""


def one_machine() -> Mapping[str, float]:
    """All runs on one machine, whatever it is."""
    return {cost.MACHINE: 1.0}


@dataclass(slots=True)
class _Account:
    job: Job
    accepted: float
    """By this process's clock."""
    kept: Usage
    """What the bucket knows."""
    owed: Usage = field(default_factory=Usage)
    """What it doesn't."""
    told: float = 0.0
    """Until when the room for its upload has been told of in the metrics."""


class Accounts:
    """The jobs with images that ended here; may be asked in any thread.

    Parameters
    ----------
    prices
        For the metrics; none: no dollars are told.
    nodes
        What the time of these jobs is spent on. Several owners of jobs share out what there is.
    since
        What this process has asked of the store since its last call.
    clock, now
        Seconds of which only differences count, and seconds since 1970.
    """

    def __init__(
        self,
        prices: Prices | None = None,
        nodes: Nodes = one_machine,
        since: Callable[[], Asked] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.prices = prices
        self._nodes, self._since = nodes, since or Since()
        self._clock, self._now = clock, now
        self._last = float("-inf")
        self._open: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def open(self, job: Job, kept: Usage | None) -> None:
        """Count for a job from here on; the bucket knows so much of it."""
        accepted = self._clock() - max(0.0, self._now() - job.created)
        with self._lock:
            if job.job not in self._open:
                told = self._clock() if kept else accepted  # whoever counted before has told the rest
                self._open[job.job] = _Account(job, accepted, kept or Usage(), told=told)

    def charge(self, job: str, asked: Asked | None) -> None:
        """An image of the job has ended, for which so much was asked of the store elsewhere."""
        with self._lock:
            now, account = self._clock(), self._open.get(job)
            before, self._last = self._last, now
            if account is None:
                return
            seconds = min(MOST_SECONDS, max(0.0, now - max(before, account.accepted)))
            nodes = {kind: count * seconds for kind, count in self._nodes().items()}
            used = _used(nodes, (asked or Asked()).plus(self._since()))
            account.owed = account.owed.plus(used)
            self._tell(account, used, now)

    def owed(self, job: str) -> Usage:
        """What the bucket doesn't know yet of a job."""
        with self._lock:
            account = self._open.get(job)
            return account.owed if account else Usage()

    def keep(self, job: str, kept: Usage, paid: Usage) -> None:
        """The bucket knows so much of a job now, with that of what was owed."""
        with self._lock:
            if account := self._open.get(job):
                account.kept, account.owed = kept, account.owed.less(paid)

    def close(self, job: str) -> None:
        """Forget a job: its end is written, or others count for it."""
        with self._lock:
            self._open.pop(job, None)

    def dollars(self, job: str) -> float | None:
        """What a job has cost so far; none where nobody can tell."""
        with self._lock:
            account = self._open.get(job)
            if account is None or self.prices is None:
                return None
            seconds = self._clock() - account.accepted
            return of(account.job, account.kept.plus(account.owed), seconds, self.prices).dollars

    def _tell(self, account: _Account, used: Usage, now: float) -> None:
        if self.prices is None:
            return
        before, account.told = account.told, now
        used = replace(used, stored=account.job.size * (now - before))
        for part, dollars in cost.parts(used, self.prices).items():
            metrics.COST.labels(part).inc(dollars)


def of(job: Job, usage: Usage | None, seconds: float, prices: Prices) -> Cost:
    """What a job costs that has been there for so many seconds: what it used, and room for its upload.

    What its results take is small beside that, and left out.
    """
    return cost.price((usage or Usage()).plus(Usage(stored=job.size * seconds)), prices)


def _used(nodes: Mapping[str, float], asked: Asked) -> Usage:
    return Usage(
        nodes, images=1, operations={"A": asked.a, "B": asked.b}, traffic={"store": asked.sent + asked.received}
    )
