"""Which messages are owed: an object for each, from a job's acceptance until it was taken or given up.

So no restart forgets one, and whoever looks after ended jobs finds it.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from storage import keys
from storage.objects import Store
from streams.jobs import ledger
from streams.jobs.records import Done, Job, Notice, Told
from streams.notices.signed import Message

PAUSES = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds after each try that failed; after the last of them it is given up: three days in all."""


def owe(store: Store, job: Job, round_: int = 0) -> None:
    """Note that somebody wants to be told when the job ends, or its replay; where nobody does, nothing."""
    if job.notify:
        ledger.write(store, keys.notice(job.job, round_), Notice(job=job.job, round=round_))


def message(job: Job, done: Done, round_: int) -> Message:
    """What is told: that the job is done, and how it ended."""
    data = done.model_dump(include={"job", "images", "labelled", "rejected", "cancelled", "round"})
    told = {"name": job.name, "model": job.model, "seconds": round(done.finished - job.created, 3)}
    moment = datetime.fromtimestamp(done.finished, UTC).isoformat().replace("+00:00", "Z")
    body = {"type": "job.done", "timestamp": moment, "data": data | told}
    return Message(f"msg_{job.job}_{round_}", json.dumps(body).encode())


def taken(store: Store, notice: Notice, now: Callable[[], float] = time.time) -> None:
    """The message arrived: remember that, then owe it no longer. Who dies in between sends it once more."""
    _settle(store, notice, Told(job=notice.job, round=notice.round, taken=True, tries=notice.tries + 1, at=now()))


def failed(store: Store, notice: Notice, why: str, final: bool, now: Callable[[], float] = time.time) -> None:
    """It did not arrive: try again later, or give up."""
    if final or notice.tries >= len(PAUSES):
        told = Told(job=notice.job, round=notice.round, taken=False, tries=notice.tries + 1, at=now(), why=why)
        _settle(store, notice, told)
        return
    later = {"tries": notice.tries + 1, "after": now() + PAUSES[notice.tries], "why": why}
    ledger.write(store, keys.notice(notice.job, notice.round), notice.model_copy(update=later))


def _settle(store: Store, notice: Notice, told: Told) -> None:
    ledger.write(store, keys.told(notice.job, notice.round), told)
    store.delete([keys.notice(notice.job, notice.round)])
