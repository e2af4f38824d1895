"""A row for every image that was due: when, sent by what, ended how, and where its time went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

from loadgen.run import phases
from loadgen.run.ends import End, Ends, JobEnds
from loadgen.run.journal import Sent
from loadgen.run.phases import Moments
from loadgen.run.schedule import WARMUP

NOT_SENT, IN_FLIGHT = "not sent", "in flight"
"""Fates beside those of a job's images: its zip was not accepted; nobody has told of its end."""
FACTS = ("zip", "image", "repeat", "warmup", "tenant", "job", "due", "begun", "answered", "ended", "fate", "reason")
SECONDS = "seconds."
"""Before the columns that hold the seconds of a phase."""


@dataclass(frozen=True, slots=True)
class Row:
    """One image. Moments in seconds since 1970; NaN for what never came."""

    zip: int
    image: int
    """Within its zip, and so within its job."""
    repeat: int
    tenant: int
    job: str
    due: float
    begun: float
    """When sending its zip began."""
    answered: float
    """When its zip was accepted, or given up."""
    ended: float
    fate: str
    """Labelled, rejected, cancelled, in flight or not sent."""
    reason: str
    attempts: int
    """0 where nobody told."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase, from when it was due to its end."""
    finer: Mapping[str, float] = field(default_factory=dict)
    """Within `predict.model`."""

    @property
    def warmup(self) -> bool:
        """Whether it is left out of the figures."""
        return self.repeat == WARMUP

    @property
    def has_ended(self) -> bool:
        """Whether anybody told of its end."""
        return not isnan(self.ended)

    @property
    def latency(self) -> float:
        """Seconds from when it was due to its end: a sender that comes late makes nothing faster."""
        return self.ended - self.due

    @property
    def accounted(self) -> float:
        """The seconds of its latency that somebody measured."""
        return sum(self.spent.values()) - self.spent.get(phases.UNMEASURED, 0.0)


def rows(sent: Sequence[Sent], ends: Ends) -> Iterator[Row]:
    """The rows of all zips; those that nobody accepted have rows as well."""
    for each in sent:
        job = ends.get(each.job, JobEnds())
        for image in range(each.due.images):
            yield _row(each, image, job)


def _row(sent: Sent, image: int, job: JobEnds) -> Row:
    due, end = sent.due, job.ends.get(image)
    accepted = min(sent.answered, job.created or sent.answered)  # the answer may come after work began
    at = max(end.at, sent.at) if end else float("nan")
    moments = Moments(sent.at, sent.begun, max(sent.begun, accepted), at)
    return Row(
        zip=due.number,
        image=image,
        repeat=due.repeat,
        tenant=due.tenant,
        job=sent.job,
        due=sent.at,
        begun=sent.begun,
        answered=sent.answered,
        ended=at,
        fate=_fate(sent, end),
        reason=sent.problem if not sent.job else end.reason if end else "",
        attempts=end.attempts if end else 0,
        spent=phases.spent(moments, end.runs) if end else {},
        finer=phases.finer(end.runs) if end else {},
    )


def _fate(sent: Sent, end: End | None) -> str:
    if end:
        return end.outcome
    return IN_FLIGHT if sent.job else NOT_SENT


def columns(rows: Sequence[Row]) -> dict[str, list[object]]:
    """The rows as columns of one length: facts first, then the seconds of each phase that any of them has."""
    names = sorted({name for row in rows for name in (*row.spent, *row.finer)})
    facts = {name: [getattr(row, name) for row in rows] for name in (*FACTS, "attempts", "latency")}
    seconds = {SECONDS + name: [(row.spent | row.finer).get(name, 0.0) for row in rows] for name in names}  # type: ignore[operator]
    return facts | seconds
