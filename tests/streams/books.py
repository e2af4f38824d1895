"""A ledger for tests: jobs, outcomes and rounds written straight into a store in memory."""

from collections.abc import Sequence
from typing import Any

from storage import keys
from storage.memory import MemoryStore
from storage.objects import Store
from streams.events import Lane, ReasonClass, Rejection, Source
from streams.jobs import ending, ledger
from streams.jobs.records import Done, Entry, Job
from streams.jobs.tallies import Tallies
from tests.streams.stand import run

JOB = "a1"
START = 1_000_000.0


class Time:
    """Seconds since 1970, as a test wants them."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def accepted(store: MemoryStore, job: str = JOB, name: str = "plate.zip", **fields: Any) -> Job:
    """A job that waits for its archive to be listed."""
    key = f"uploads/{job}/{name}"
    etag = store.put(key, b"an archive")
    known = {"job": job, "name": name, "object": key, "etag": etag, "size": 10, "model": "nuclei"}
    made = Job.model_validate({**known, "model_digest": "d" * 8, "created": START, **fields})
    ending.reopen(store, job)
    ledger.write(store, keys.job(job), made)
    return made


def listed(store: MemoryStore, images: int, job: str = JOB, names: Sequence[str] = (), **fields: Any) -> Job:
    """A job of so many images, none of them with an outcome."""
    made = accepted(store, job, **fields)
    entries = [
        Entry(
            image=image,
            name=names[image] if names else f"{image}.tif",
            source=Source(key=made.object, etag=made.etag, offset=image),
        )
        for image in range(images)
    ]
    ledger.write_manifest(store, job, entries, Lane.BULK)
    return made


def label(store: MemoryStore, *images: int, job: str = JOB) -> None:
    for image in images:
        store.put(keys.labels(job, image), b"labels")


def refuse(store: Store, *images: int, job: str = JOB, round_: int = 0, reason: ReasonClass = "infrastructure") -> None:
    for image in images:
        story = Rejection(job=job, image=image, round=round_, name=f"{image}.tif", reason=reason, message="It broke.")
        ledger.write(store, keys.rejection(job, image, round_), story)


def tick(store: MemoryStore, *images: int, labelled: bool = True, job: str = JOB, round_: int = 0) -> None:
    """Have a new owner tick images off."""

    async def each() -> None:
        tallies = Tallies(store, seconds=0.001)
        for image in images:
            await tallies.tick(job, image, labelled, round_)

    run(each())


def count(store: Store, job: str = JOB) -> None:
    """Have an owner's tally say what the outcome objects say."""
    for round_, tally in ledger.read_outcomes(store, job).rounds.items():
        store.put(keys.tally(job, "owner", round_), tally.encode())


def done(store: MemoryStore, job: str = JOB) -> Done:
    found = ledger.read_done(store, job)
    assert found is not None
    return found
