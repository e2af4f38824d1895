"""The open loop: each zip is sent when it is due, by a thread of its own, whatever became of those before."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kiosk.contract import JobView
from kiosk.errors import MonolayerError
from loadgen.run.journal import Sent
from loadgen.run.plan import Due, Plan
from loadgen.run.repeating import repeated

LOOK_SECONDS = 1.0
MOST_LOOKED_AT = 10
"""Open jobs, the oldest first, that are asked for at a time: to watch must cost the system next to nothing."""


class Client(Protocol):
    """What the loop asks of `kiosk.client.Monolayer`; safe from any thread."""

    def submit(self, paths: Sequence[Path], model: str, *, diameter: float | None) -> list[str]:
        """Send a zip; raises `MonolayerError`."""

    def job(self, job: str) -> JobView:
        """Where a job stands; raises `MonolayerError`."""


class Clock:
    """Seconds since 1970 that never jump, as the machine's clock may."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()

    def now(self) -> float:
        """The moment."""
        return self._epoch + time.monotonic()


@dataclass(slots=True)
class Standing:
    """How far a run is."""

    due: int = 0
    sent: int = 0
    failed: int = 0
    ended: int = 0
    """Images."""
    left: int = 0
    """Jobs that are not over."""


@dataclass(slots=True)
class Loop:
    """Sends zips and looks after their jobs, one repeat after another.

    Parameters
    ----------
    plan
        How they are sent.
    clients
        One for each tenant.
    keep
        Takes what became of each zip, in any thread.
    stop
        Set: no further zip is sent, and no job waited for.
    """

    plan: Plan
    clients: Sequence[Client]
    keep: Callable[[Sent], None]
    stop: threading.Event
    clock: Clock = field(default_factory=Clock)
    standing: Standing = field(default_factory=Standing)
    _open: dict[str, tuple[Client, int]] = field(default_factory=dict)
    """Jobs that are not over, and how many of their images have ended."""
    _over: int = 0
    """Images of jobs that are over."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, zips: Sequence[tuple[Due, Path]]) -> None:
        """Send each zip when it is due, and return when all have been answered."""
        begun, threads = self.clock.now(), []
        for due, path in zips:
            at = begun + due.after
            if self.stop.wait(max(0.0, at - self.clock.now())):
                break
            self.standing.due += 1
            threads.append(threading.Thread(target=self._send, args=(due, path, at), name=due.name))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def wait(self, patience: float) -> bool:
        """Return when all jobs are over (true), or nothing has ended for so many seconds, or it is to stop.

        Somebody else has to look meanwhile, see `watched`.
        """
        ended, moved = -1, self.clock.now()
        while self._open:
            if self.standing.ended > ended:
                ended, moved = self.standing.ended, self.clock.now()
            if self.stop.wait(LOOK_SECONDS / 4) or self.clock.now() - moved > patience:
                return False
        return True

    @contextmanager
    def watched(self, tell: Callable[[Standing], None]) -> Iterator[None]:
        """Ask how far the jobs are, and tell, again and again in a thread until the block ends.

        Never in the thread that sends: an API that is slow to answer must not hold up the schedule.
        """

        def look() -> None:
            self.look()
            tell(self.standing)

        with repeated(look, LOOK_SECONDS, "watching"):
            yield

    def look(self) -> None:
        """Ask how far the oldest open jobs are."""
        with self._lock:
            asked = list(self._open.items())[:MOST_LOOKED_AT]
        for job, (client, _) in asked:
            try:
                self._take(job, client, client.job(job))
            except MonolayerError:
                return  # whoever looks again will see
        self.standing.ended = self._over + sum(ended for _, ended in list(self._open.values()))
        self.standing.left = len(self._open)

    def _take(self, job: str, client: Client, view: JobView) -> None:
        ended = view.labelled + view.rejected + view.cancelled
        with self._lock:
            if not view.over:
                self._open[job] = client, ended
            elif self._open.pop(job, None):
                self._over += ended

    def _send(self, due: Due, path: Path, at: float) -> None:
        begun, size, job, problem = self.clock.now(), 0, "", ""
        client = self.clients[due.tenant]
        try:
            size = path.stat().st_size
            [job] = client.submit([path], self.plan.model, diameter=self.plan.diameter)
        except Exception as why:  # whatever it is, this zip was due and was not accepted, and that is a result
            problem = str(why) or repr(why)
        answered = self.clock.now()
        self.keep(Sent(due, at, begun, answered, size, job, problem))
        path.unlink(missing_ok=True)
        with self._lock:
            if job:
                self._open[job] = client, 0
            self.standing.sent += bool(job)
            self.standing.failed += not job
