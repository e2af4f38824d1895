"""What a run of a chain measured, as it travels with the events that answer it: a death then loses no trace.

Times are microseconds: `sent` since 1970, all others since `sent`.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MOST_STRETCHES = 100
"""Of one run: an event stays small. An image of 16 tiles has about 50."""
MOST_NOTE = 2_000
"""Characters: an object store keeps 2 KB beside an object."""
Micros = Annotated[int, Field(ge=-(10**15), le=10**15)]


class Stretch(NamedTuple):
    """A phase of a run."""

    phase: str
    at: Micros
    lasted: Micros


class Step(NamedTuple):
    """A stage at work, in the attempt of this number, counted from 0."""

    stage: str
    attempt: int
    at: Micros
    lasted: Micros


class Run(BaseModel):
    """One run: of which chain, by which worker, on an event sent when, begun when, and where its time went."""

    model_config = ConfigDict(frozen=True, extra="allow")

    chain: str
    by: str
    image: str = ""
    """Its name, where it is about one."""
    tile: int | None = None
    """Which tile of the image it was about, where that has fanned out."""
    sent: int
    begun: Micros
    steps: tuple[Step, ...] = ()
    phases: tuple[Stretch, ...] = ()
    finer: tuple[Stretch, ...] = ()
    """Within phases: of each tile on its way to the model its `slot`, then `queue` and `compute` of its requests."""

    @property
    def attempt(self) -> int:
        """Of its last stage."""
        return self.steps[-1].attempt if self.steps else 0


_RUNS = TypeAdapter(tuple[Run, ...])


def note(runs: Sequence[Run]) -> str:
    """The runs as one line of ASCII to be kept beside an object; without phases where that would be too long."""
    told = _dump(runs)
    return (
        told if len(told) <= MOST_NOTE else _dump([run.model_copy(update={"phases": (), "finer": ()}) for run in runs])
    )


def noted(line: str) -> tuple[Run, ...] | None:
    """The runs that a note tells of; none where it tells of none."""
    try:
        return _RUNS.validate_json(line) if line else None
    except ValidationError:
        return None


def _dump(runs: Iterable[Run]) -> str:
    return _RUNS.dump_json(tuple(runs), exclude_defaults=True, ensure_ascii=True).decode()
