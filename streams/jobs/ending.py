"""A job ends when every image has an outcome, or when it is cancelled; a replay opens it again."""

import time

from observability.cost import Usage
from storage import keys
from storage.objects import Store
from streams.jobs import ledger
from streams.jobs.records import Cancelled, Clock, Done


def finish(store: Store, job: str, cancelled: Cancelled | None = None, owed: Usage | None = None) -> Done | None:
    """Write the job's end, if every image has an outcome; none while one is in flight.

    The outcome objects are counted, not the tallies (rule 3). What comes late to a job that is done is counted anew.

    Parameters
    ----------
    cancelled
        Where given, what has no outcome is cancelled, and the job ended then.
    owed
        What the job has used besides what its clock tells.
    """
    index, rounds = ledger.read_index(store, job), ledger.read_rounds(store, job)
    if index is None:
        return None
    found = ledger.read_outcomes(store, job, rounds)
    known = ledger.read_done(store, job, found.newest)
    labelled, rejected = found.standing(index.images).counts()
    rest = index.images - labelled - rejected
    if rest and not cancelled and not (known and known.cancelled):
        return None
    done = Done(
        job=job,
        images=index.images,
        labelled=labelled,
        rejected=rejected,
        cancelled=rest,
        round=found.newest,
        finished=known.finished if known else cancelled.created if cancelled else time.time(),
        usage=known.usage if known else _used(store, job, owed),
    )
    ledger.write(store, keys.done(job), done)
    close(store, job)
    return done


def reopen(store: Store, job: str) -> None:
    """Have somebody look after the job; its clock goes on where it has one, and what it used counts on."""
    if not ledger.exists(store, keys.open_job(job)):
        before = ledger.read(store, keys.done(job), Done)
        ledger.write(store, keys.open_job(job), Clock(usage=before.usage if before else None))


def close(store: Store, job: str) -> None:
    """Nobody needs to look after the job any more."""
    store.delete([keys.open_job(job)])
    if ledger.read_done(store, job) is None:  # a replay came in between, and found the marker still there
        reopen(store, job)


def _used(store: Store, job: str, owed: Usage | None) -> Usage | None:
    clock = ledger.read(store, keys.open_job(job), Clock)
    known = clock.usage if clock else None
    return known.plus(owed) if known and owed else known or owed
