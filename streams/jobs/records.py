"""What the ledger is written in: the records that lie in the bucket as JSON, and a job's state as they give it."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from observability.cost import Usage
from streams.events import VERSION, Lane, Options, ReasonClass, Source

DEADLINE = 24 * 3600.0
"""Seconds within which a job's images end, where nobody said otherwise."""


class Record(BaseModel):
    """What all stored records share: a version, and that unknown fields are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    v: int = VERSION


class Job(Record):
    """An accepted upload: one archive or one image, with one model and its options."""

    job: str
    name: str
    object: str
    etag: str
    size: int
    model: str
    model_digest: str
    options: Options = Options()
    submission: str = ""
    created: float = 0.0
    deadline: float = DEADLINE
    """Seconds in which its images should end, not counting those in which a part of the system was away."""
    refused: str = ""
    """Why the whole job can't be worked on; empty when it can."""
    budget: float | None = None
    """Dollars that it may cost before it is held; none: as many as it takes."""
    tenant: str = ""
    """Whose job it is; empty: nobody's in particular."""
    notify: str = ""
    """An address that is told when it ends; empty: none."""


class Entry(Record):
    """One image in the manifest."""

    image: int
    name: str
    source: Source
    problem: str = ""
    """What the archive's directory alone already tells against it; empty when nothing does."""
    reason: ReasonClass = "bad_input"
    """The class of that problem."""


class ManifestShard(Record):
    """Up to 1,000 images of a job."""

    job: str
    shard: int
    images: list[Entry]


class ManifestIndex(Record):
    """How many images a job has; written after its shards, so that it stands for all of them."""

    job: str
    images: int
    shards: int
    lane: Lane


class Round(Record):
    """A replay: rejected images that go through again, from the manifest. The job's first round, 0, has no record."""

    job: str
    round: int
    images: list[int]
    """In order."""
    created: float
    """Seconds since 1970."""
    deadline: float = DEADLINE
    """Seconds, as a job's."""
    lane: Lane = Lane.BULK
    reason: ReasonClass | None = None
    """What was asked for: only what was rejected for this reason."""
    name: str | None = None
    """What was asked for: only images of this name."""

    def beside(self, other: "Round | None") -> Self:
        """This and another of the same number, as one."""
        if other is None:
            return self
        images = sorted({*self.images, *other.images})
        created, deadline = max(self.created, other.created), max(self.deadline, other.deadline)
        return self.model_copy(update={"images": images, "created": created, "deadline": deadline})


class Cancelled(Record):
    """Somebody cancelled the job; what had no outcome then is cancelled, unless it still comes."""

    job: str
    created: float
    """Seconds since 1970."""


class Budget(Record):
    """A job that was given more dollars than it came with: what it may cost in all."""

    job: str
    dollars: float
    created: float
    """Seconds since 1970."""


class Notice(Record):
    """Somebody wants to be told when a round of the job ends, and has not been."""

    job: str
    round: int = 0
    tries: int = 0
    """That failed."""
    after: float = 0.0
    """When the next one may be, in seconds since 1970."""
    why: str = ""
    """How the last one failed."""


class Told(Record):
    """What became of the message that a round of the job has ended."""

    job: str
    round: int = 0
    taken: bool
    """Whether it was taken, or given up."""
    tries: int
    at: float
    """Seconds since 1970."""
    why: str = ""
    """How the last try failed, where it was given up."""


class Held(Record):
    """A job or a model for which nothing is begun. Once released, the record stays until every job has seen it."""

    what: str
    """A job, or `model/<digest>`."""
    why: str
    created: float
    """Seconds since 1970."""
    released: float | None = None
    """Seconds since 1970; none while it is held."""


class Deleted(Record):
    """The job was here, and is gone with all its results."""

    job: str
    object: str
    etag: str
    deleted: float
    """Seconds since 1970."""


class Clock(Record):
    """How much of an open job's deadline has run, as whoever looks after it counts; kept under `open/<job>`."""

    counted: float = 0.0
    """Seconds of the newest round in which nothing was away."""
    looked: float = 0.0
    """When it was last looked at, in seconds since 1970."""
    round: int = 0
    """The newest round."""
    ahead: dict[int, float] = {}
    """Seconds that older rounds had run when the newest began."""
    half: list[int] = []
    """The rounds that were announced again at half of their deadline."""
    repeats: int = 0
    """How often in a row what had vanished was announced again."""
    again: float = 0.0
    """When that may be done next, in seconds since 1970."""
    released: float = 0.0
    """The newest release of the job or its model after which it was announced again."""
    waiting: str = ""
    """Why the clock stands still; empty when it runs."""
    usage: Usage | None = None
    """What all rounds have used, as of the last look."""

    def spent(self, round_: int) -> float:
        """Seconds of its deadline that a round has used."""
        return self.counted + self.ahead.get(round_, 0.0)


class Done(Record):
    """The end of a job, as of a round: a later replay opens it again."""

    job: str
    images: int
    labelled: int
    rejected: int
    cancelled: int = 0
    round: int = 0
    finished: float
    """Seconds since 1970."""
    usage: Usage | None = None
    """What all rounds have used; none where nobody counted."""


class JobState(BaseModel):
    """A job at one moment; `images` is none while its archive is still being listed."""

    job: str
    name: str
    model: str
    created: float
    state: Literal["listing", "running", "done"]
    images: int | None
    labelled: int
    rejected: int
    cancelled: int
    in_flight: int | None
    seconds: float
    """From acceptance to the end, or to now."""
    round_seconds: float | None = None
    """From the newest replay on; none where there was none."""
    round: int = 0
    """How often rejected images were sent through again."""
    deadline: float = DEADLINE
    """Seconds in which the newest round's images should end."""
    held: str = ""
    """Why nothing is begun; empty when it isn't held."""
    waiting: str = ""
    """Why the deadline's clock stands still; empty when it runs."""
    usage: Usage | None = None
    """What it has used, up to a minute ago; none where nobody counted."""
