"""Submits archives as a stranger would, and waits for their jobs to end."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from kiosk.client import Monolayer
from loadgen.chaos.completions import Completions
from loadgen.chaos.images import Archive
from loadgen.chaos.stack import Stack
from storage import keys

PATIENCE = 240.0
"""Seconds without any image ending after which a job counts as stuck: longer than any fault and its recovery."""
_TRIES = 20


class Stuck(Exception):
    """A job doesn't end; the message says how far it came."""


@dataclass(slots=True)
class Job:
    """A submitted archive, and when it was accepted and ended."""

    job: str
    archive: Archive
    begun: float
    ended: float = 0.0


async def submit(stack: Stack, archive: Archive) -> Job:
    """Submit an archive, once; what is in its way now may be out of it a few seconds later."""
    submission = uuid4().hex
    for left in reversed(range(_TRIES)):
        try:
            job = await asyncio.to_thread(_submit, stack.address("api"), archive, submission)
        except Exception:
            if not left:
                raise
            await asyncio.sleep(1.5)
        else:
            return Job(job, archive, time.monotonic())
    raise AssertionError("the last try returns or raises")


def _submit(api: str, archive: Archive, submission: str) -> str:
    with Monolayer(api) as monolayer:
        [job] = monolayer.submit([archive.path], diameter=24, submission=submission)
    return job


async def finish(
    job: Job, stack: Stack, completions: Completions, tell: Callable[[int], None], patience: float = PATIENCE
) -> None:
    """Return when a job has ended; raises `Stuck` after so many seconds without any image ending, of whatever job.

    An image that is tried again may have to wait for all that were submitted behind it.
    """
    done, seen, moved = stack.objects / keys.done(job.job), 0, time.monotonic()
    while not done.exists():
        await asyncio.sleep(0.2)
        count = completions.count(job.job)
        if completions.total != seen:
            seen, moved = completions.total, time.monotonic()
            tell(count)
        if time.monotonic() - moved > patience:
            raise Stuck(f"Job {job.job} stands at {count} of {len(job.archive.members)} images for {patience:.0f} s.")
    job.ended = completions.times[-1] if completions.times else time.monotonic()
    tell(len(job.archive.members))
