"""Cancel and hold: one marker object each, at which stages acknowledge what they would otherwise work on (rule 5).

Nothing is sent to anybody: whoever takes an event looks, and what was looked at is believed for some seconds.
"""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from pydantic import ValidationError

from observability.logs import log
from storage import keys
from storage.objects import Store
from streams.events import Event, ImageEvent, found_of
from streams.jobs import ledger
from streams.jobs.records import Cancelled, Done, Held
from streams.jobs.remembered import Remembered

KEPT = 10_000
"""Jobs remembered at most."""
Standing = Literal["cancelled", "held", "ended", "deleted"]


def cancel(store: Store, job: str, now: Callable[[], float] = time.time) -> None:
    """End the job: what has no outcome counts as cancelled from now on. A job that is done stays as it is.

    Raises `NoSuchJob`.
    """
    ledger.read_job(store, job)
    if not is_cancelled(store, job) and ledger.read_done(store, job) is None:
        ledger.write(store, keys.cancelled(job), Cancelled(job=job, created=now()))


def is_cancelled(store: Store, job: str) -> bool:
    """Whether somebody cancelled the job."""
    return ledger.exists(store, keys.cancelled(job))


def hold(store: Store, what: str, why: str, now: Callable[[], float] = time.time) -> None:
    """Begin nothing more for a job, or for all jobs of `model/<digest>`; `why` is a sentence for their owners."""
    ledger.write(store, keys.held(what), Held(what=what, why=why, created=now()))


def release(store: Store, what: str, now: Callable[[], float] = time.time) -> None:
    """Go on; what isn't held stays as it is. Whoever looks after the jobs announces again what was passed over."""
    found = ledger.read(store, keys.held(what), Held)
    if found and found.released is None:
        ledger.write(store, keys.held(what), found.model_copy(update={"released": now()}))


def held(store: Store) -> list[Held]:
    """All that is held now."""
    return [marker for marker in read_held(store) if marker.released is None]


def read_held(store: Store) -> list[Held]:
    """All that is held, or was released not long ago."""
    found = (read_marker(store, stat.key) for stat in store.list(keys.HELD))
    return [marker for marker in found if marker is not None]


def read_marker(store: Store, key: str) -> Held | None:
    """A marker; what is none, and lies among them, must not stand in everybody's way."""
    try:
        return ledger.read(store, key, Held)
    except ValidationError as why:
        log().error("marker_unreadable", key=key, why=str(why))
        return None


class _Known(NamedTuple):
    standing: Standing | None
    ended: int
    """The round as of which the job has ended; -1 while it has not."""


class Markers:
    """What stands against working on an event; asked for every event, so remembered for some seconds.

    Parameters
    ----------
    store
        Where the markers lie.
    now
        A clock in seconds, of which only differences count.
    """

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._jobs: Remembered[str, _Known] = Remembered(self._of_job, KEPT, now)
        self._held: Remembered[None, frozenset[str]] = Remembered(self._all_held, 1, now)

    def standing(self, event: Event) -> Standing | None:
        """Why an event is to be acknowledged unworked, or none. Asks the bucket now and then, and raises its errors."""
        if not event.job:
            return None
        known = self._jobs[event.job]
        if known.standing:
            return known.standing
        if isinstance(event, ImageEvent) and event.round <= known.ended:
            return "ended"
        found, held_now = found_of(event), self._held[None]
        models = {keys.MODEL + found.model_digest} if found else set()
        return "held" if held_now & {event.job, *models} else None

    def _of_job(self, job: str) -> _Known:
        done = ledger.read(self._store, keys.done(job), Done)
        return _Known(self._look(job), done.round if done else -1)

    def _look(self, job: str) -> Standing | None:
        if ledger.exists(self._store, keys.deleted(job)):
            return "deleted"
        return "cancelled" if is_cancelled(self._store, job) else None

    def _all_held(self, _: None) -> frozenset[str]:
        return frozenset(marker.what for marker in held(self._store))
