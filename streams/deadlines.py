"""When somebody acts for a job that has not ended: its clock, and what that asks for at one look. Pure functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from storage import keys
from streams.jobs.records import Clock, Held, Job, Round
from streams.jobs.remembered import BELIEVED_SECONDS

RELEASE_SECONDS = 2 * BELIEVED_SECONDS
"""So long after a release somebody may still believe the marker, and pass events over."""
STRAGGLE_SECONDS = 600.0
"""When a job has stood still for so long, with few images left, their messages are taken for vanished."""
MOST_STRAGGLERS = 100
"""Few: at most so many, and at most one in ten. They are announced among the small jobs, or they would queue again."""
LONGEST_PAUSE = 3600.0
"""Between two announcements of what vanishes again and again."""
_AWAY = "a part of the system does not answer; the deadline's clock stands still"


@dataclass(frozen=True, slots=True)
class View:
    """What one look sees of the whole system."""

    now: float
    idle: bool
    """No event was waiting or in work, now and at the look before."""
    healthy: bool
    held: Mapping[str, Held]

    def holds(self, job: Job) -> bool:
        """Whether nothing is begun for the job."""
        return any(marker.released is None for marker in self._on(job))

    def released(self, job: Job) -> float:
        """When the job or its model was released last, if all have noticed; 0 where that was too long before it."""
        times = (marker.released or 0.0 for marker in self._on(job))
        first, last = job.created - RELEASE_SECONDS, self.now - RELEASE_SECONDS
        return max((at for at in times if first < at <= last), default=0.0)

    def _on(self, job: Job) -> list[Held]:
        names = (job.job, keys.MODEL + job.model_digest)
        return [self.held[name] for name in names if name in self.held]


@dataclass(frozen=True, slots=True)
class Stands:
    """How a job stands, as far as this process can tell."""

    seconds: float
    """For how long none of its images has ended."""
    left: int
    """Images without an outcome."""
    images: int

    @property
    def still(self) -> bool:
        """No image has ended since the last look."""
        return self.seconds > 0

    @property
    def late(self) -> bool:
        """Only a few images are left, and for long none has ended."""
        few = self.left <= MOST_STRAGGLERS and 10 * self.left <= self.images
        return few and self.seconds >= STRAGGLE_SECONDS


@dataclass(frozen=True, slots=True)
class Due:
    """What the clock of a job asks for, by round."""

    expired: frozenset[int]
    half: frozenset[int]
    vanished: bool
    """Nothing is in flight anywhere, and still images have no outcome."""
    straggling: bool
    """All but a few images ended long ago."""
    released: bool

    def __bool__(self) -> bool:
        return bool(self.expired or self.half or self.vanished or self.straggling or self.released)

    def again(self, round_: int) -> bool:
        """Whether the images of a round are to be announced again."""
        return self.vanished or self.straggling or self.released or round_ in self.half


def limits(job: Job, rounds: Iterable[Round]) -> dict[int, float]:
    """The deadline of each of a job's rounds, in seconds."""
    return {0: job.deadline} | {each.round: each.deadline for each in rounds}


def advanced(clock: Clock, view: View, newest: int, held: bool, most: float) -> Clock:
    """The clock at this look: it runs only while images could be worked on, by `most` seconds at once."""
    runs = view.healthy and not held
    passed = min(max(0.0, view.now - clock.looked), most) if clock.looked and runs else 0.0
    counted = clock.counted + passed
    known = {"looked": view.now, "waiting": "" if view.healthy or held else _AWAY}
    if newest == clock.round:
        return clock.model_copy(update={"counted": counted, **known})
    older = {**clock.ahead, clock.round: 0.0}
    ahead = {round_: counted + seconds for round_, seconds in older.items()}
    return clock.model_copy(update={"counted": 0.0, "round": newest, "ahead": ahead, **known})


def due(
    job: Job, rounds: Iterable[Round], clock: Clock, view: View, missing: Mapping[int, object], stands: Stands
) -> Due:
    """What is to be done for a job; `missing` has the rounds in which images have no outcome."""
    deadlines = limits(job, rounds)
    waiting = missing.keys() or deadlines.keys()  # a tally that claims more than there is says nothing
    works = view.healthy and not view.holds(job)
    expired = {round_ for round_ in waiting if clock.spent(round_) >= deadlines[round_]}
    half = {round_ for round_ in waiting - expired if works and clock.spent(round_) >= deadlines[round_] / 2}
    may = works and stands.still and view.now >= clock.again
    return Due(
        expired=frozenset(expired),
        half=frozenset(half - set(clock.half)),
        vanished=may and view.idle,
        straggling=may and not view.idle and stands.late,
        released=works and view.released(job) > clock.released,
    )


def noted(clock: Clock, due: Due, view: View, job: Job, pause: float) -> Clock:
    """The clock that knows what was done; what vanishes again is announced after twice the pause, and so on."""
    update: dict[str, Any] = {"half": sorted({*clock.half, *due.half})}
    if due.vanished or due.straggling:
        first = STRAGGLE_SECONDS if due.straggling else pause
        again = view.now + min(LONGEST_PAUSE, first * 2**clock.repeats)
        update |= {"repeats": clock.repeats + 1, "again": again}
    if due.released:
        update["released"] = view.released(job)
    return clock.model_copy(update=update)
