"""Injects the faults of a schedule one after another, at moments that progress or the clock decides."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from loadgen.chaos.faults.processes import preempted
from loadgen.chaos.report import Injected
from loadgen.chaos.stack import until
from loadgen.chaos.world import Kind, NotMet, World

AT_ONCE = 3
"""Faults that may overlap."""
LONGEST = 180.0
"""Seconds that one fault may take, its healing included."""
_NO_PROGRESS = 60.0
_PREEMPTION = "preemption"


@dataclass(frozen=True, slots=True)
class Pace:
    """When the faults come."""

    images: float
    """Images that end between two faults; 0: the clock decides."""
    seconds: float
    """Seconds between two faults; 0: progress decides."""


@dataclass(slots=True)
class Injector:
    """Injects faults into a world, and remembers them."""

    world: World
    pace: Pace
    tell: Callable[[Injected], None] = lambda fault: None
    injected: list[Injected] = field(default_factory=list)
    not_met: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    _spans: list[tuple[float, float]] = field(default_factory=list)

    async def inject(self, kinds: Sequence[Kind]) -> None:
        """Inject them all; those whose moment didn't come are tried once more at the end."""
        missed = await self._round(kinds)
        await self._round(missed)

    async def preempt(self, every: float) -> None:
        """Take a worker away every so many seconds, for ever."""
        while True:
            await asyncio.sleep(every)
            await self._one(Kind(_PREEMPTION, "process", preempted), [])

    def recoveries(self, loaded: Sequence[tuple[float, float]]) -> list[Injected]:
        """The faults with their recoveries, where nothing else was in the way.

        Parameters
        ----------
        loaded
            From when to when there was work, as moments of the monotonic clock.
        """
        return [
            _recovered(fault, span, self._spans, loaded, self.world)
            for fault, span in zip(self.injected, self._spans, strict=True)
        ]

    async def _round(self, kinds: Sequence[Kind]) -> list[Kind]:
        room, missed, first = asyncio.Semaphore(AT_ONCE), list[Kind](), self.world.completions.total
        begun = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number, kind in enumerate(kinds):
                await self._moment(first + self.pace.images * (number + 0.5), begun + self.pace.seconds * number)
                needed = AT_ONCE if kind.alone else 1
                for _ in range(needed):
                    await room.acquire()
                tasks.create_task(self._one(kind, missed)).add_done_callback(partial(_leave, room, needed))
        return missed

    async def _moment(self, images: float, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        if self.pace.images:
            try:
                await until(lambda: self.world.completions.total >= images, _NO_PROGRESS)
            except TimeoutError:
                return  # an outage that another fault should find as well, or the last images, which end together

    async def _one(self, kind: Kind, missed: list[Kind]) -> None:
        at = time.monotonic()
        try:
            if kind.alone:
                await self.world.stack.ready()
            hit = await asyncio.wait_for(kind.inject(self.world), LONGEST)
        except (NotMet, TimeoutError):  # also where the parts did not come back in time for it
            self.not_met[kind.name] += 1
            missed.append(kind)
            return
        except Exception as error:
            self.failed.append(f"The fault {kind.name} could not be carried through: {error!r}.")
            return
        now = time.monotonic()
        self._spans.append((at, now))
        fault = Injected(round(at - self.begun, 2), kind.name, kind.group, hit, round(now - at, 2))
        self.injected.append(fault)
        self.tell(fault)


def _leave(room: asyncio.Semaphore, needed: int, over: "asyncio.Task[None]") -> None:
    for _ in range(needed):
        room.release()


def _recovered(
    fault: Injected,
    span: tuple[float, float],
    spans: Sequence[tuple[float, float]],
    loaded: Sequence[tuple[float, float]],
    world: World,
) -> Injected:
    ended = span[1]
    next_image = world.completions.first_after(ended)
    if next_image is None or not any(begun <= ended and next_image <= end for begun, end in loaded):
        return fault
    if any(other is not span and other[0] < next_image and other[1] > ended for other in spans):
        return fault
    return Injected(fault.at, fault.kind, fault.group, fault.hit, fault.seconds, round(next_image - ended, 2))
