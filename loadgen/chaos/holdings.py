"""Which images each process has begun to read and not ended, seen at the S3 proxy."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from loadgen.chaos.completions import Completions
from loadgen.chaos.http import Answer, Request
from loadgen.chaos.records import Record
from loadgen.chaos.stack import Owner, Part, Stack
from storage import keys
from streams.events import ImageFound

Image = tuple[str, int]
"""A job, and an image of it."""


@dataclass(slots=True)
class Reading:
    """One process reads one image."""

    pid: int
    moment: float


@dataclass(slots=True)
class Holdings:
    """A rule that changes nothing, and notes who reads which member of the archive, and who stores what.

    Parameters
    ----------
    stack
        Whose processes.
    completions
        Which images ended.
    number
        The image that a read of an object from some byte on is about; none if the object is not the archive.
    """

    stack: Stack
    completions: Completions
    number: Callable[[str, int], int | None]
    jobs: dict[str, str] = field(default_factory=dict)
    """The jobs that are watched, by the objects with their archives."""
    readings: dict[Image, list[Reading]] = field(default_factory=dict)
    """Of images that had not ended when they were begun."""
    queued: dict[Image, float] = field(default_factory=dict)
    """When each image was last announced to be begun anew: from then on it is in nobody's hands, but in the queue."""
    stored: dict[str, Part] = field(default_factory=dict)
    """Who stored a key, of those that events claim."""
    _owners: dict[int, Owner] = field(default_factory=dict)

    def watch(self, job: str) -> None:
        """Watch this job as well."""
        accepted = json.loads((self.stack.objects / keys.job(job)).read_text())
        self.jobs[accepted["object"]] = job

    def hear(self, record: Record) -> None:
        """Listen to a record."""
        event = record.event if record.topic.startswith(f"{ImageFound.topic}.") else {}
        if event.get("again"):
            self.queued[str(event["job"]), int(event["image"])] = time.monotonic()

    async def asked(self, request: Request) -> None:
        """Note who reads which image."""
        job = self.jobs.get(request.key)
        if request.method != "GET" or request.start is None or job is None:
            return
        number = self.number(request.key, request.start)
        if number is None or (job, number) in self.completions.heard:
            return  # what has ended is looked at again where its event came twice
        if part := await self.who(request):
            self.readings.setdefault((job, number), []).append(Reading(part.pid, time.monotonic()))

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Note who stored what an event will claim."""
        if request.method == "PUT" and ("/labels/" in request.key or request.key.startswith("scratch/")):
            if part := await self.who(request):
                self.stored[request.key] = part
            if len(self.stored) > 10_000:
                self.stored.pop(next(iter(self.stored)))
        return answer

    async def who(self, request: Request) -> Part | None:
        """Whose request it is: the worker's, also where one of its decoders asks."""
        owner = await self.owner(request)
        return owner.part if owner else None

    async def owner(self, request: Request) -> Owner | None:
        """Whose request it is, and by which process; connections live long, so each is looked up once."""
        if request.connection not in self._owners:
            found = await asyncio.to_thread(self.stack.owner, request.port)
            if found is None:
                return None
            self._owners[request.connection] = found
        return self._owners[request.connection]

    def held(self, pid: int) -> set[Image]:
        """The images that a process was the last to begin, and that have no end; who was told of it is no matter.

        What it has given back to the queue it doesn't hold any more.
        """
        for image in [image for image in self.readings if image in self.completions.heard]:
            del self.readings[image]
        held = [image for image, readings in self.readings.items() if readings[-1].pid == pid]
        held = [image for image in held if self.queued.get(image, 0.0) < self.readings[image][-1].moment]
        return {image for image in held if not (self.stack.objects / keys.labels(*image)).exists()}

    def taken_over(self, images: set[Image], pid: int, since: float) -> list[float]:
        """When each image that is in other hands than a dead process's was begun there, or ended; in that order."""
        moments = (self._taken(image, pid, since) for image in images)
        return sorted(moment for moment in moments if moment is not None)

    def _taken(self, image: Image, pid: int, since: float) -> float | None:
        by_others = [each.moment for each in self.readings.get(image, []) if each.pid != pid and each.moment > since]
        told = (self.completions.heard.get(image, 0.0), self.queued.get(image, 0.0))
        return min([*by_others[:1], *(moment for moment in told if moment > since)], default=None)
