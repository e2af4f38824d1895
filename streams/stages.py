"""The table of stages, and how they follow one another in a chain.

A stage is a plain function from one event to more. A chain is stages that follow one another in one process; it is
named after them: `tile+predict+postprocess`. Its cuts are where its last stage's events, or an image's too many tiles,
leave the process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from observability.metrics import ALL
from streams.events import Event, ImageEnded, ImageFound, Lane, SliceListed, TilePlanned, TilePredicted, UploadReceived

if TYPE_CHECKING:  # the table alone is light: whoever announces reads it, and does no work
    from streams.tools import Tools

TILES_AT_ONCE = 2
Answer = Callable[[Any, "Tools"], Awaitable[Sequence[Event]]]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: the event it takes; the function that answers it bears its name, in the module of that name."""

    name: str
    takes: type[Event]
    slots: int | None = None
    """Events in flight at once, where that is not the process's setting. Of uploads most wait for `tools.listing`."""
    fetch_bytes: int = 2048
    """Fetched of a partition at once: a lot would be worked off before the next partition's first."""
    may_kill: bool = True
    """Whether what it reads may kill the process: then the broker is told before an event is begun."""
    owns_jobs: bool = False
    """Whether who reads a job's events here looks after the job as well."""

    @property
    def answer(self) -> Answer:
        """The stage itself, imported when it is first asked for: a process loads only what its chains need."""
        answer: Answer = getattr(import_module(f"streams.{self.name}"), self.name)
        return answer


STAGES = {
    stage.name: stage
    for stage in (
        Stage("unzip", UploadReceived, slots=64),
        Stage("announce", SliceListed, slots=2),
        Stage("tile", ImageFound),
        Stage("predict", TilePlanned),
        Stage("postprocess", TilePredicted),
        Stage("collect", ImageEnded, slots=2000, fetch_bytes=1 << 20, may_kill=False, owns_jobs=True),
    )
}
CHAINS = ("unzip", "announce", "tile+predict+postprocess", "predict", "postprocess", "collect")
"""The layouts that exist: images of few tiles stay in one process, larger ones pass through their topics."""


def chain(name: str) -> list[Stage]:
    """The stages of a chain; raises `ValueError` naming those there are."""
    if name not in CHAINS:
        raise ValueError(f"there is no chain {name!r}; there are {', '.join(CHAINS)}")
    found = [STAGES[stage] for stage in name.split("+")]
    for stage in found:
        getattr(stage, "answer")  # noqa: B009  # loaded now, not in the middle of the first event
    return found


def lanes(stage: Stage) -> list[Lane | None]:
    """The lanes of the topic a stage reads; one without a name where there is only one."""
    return list(Lane) if stage.takes.laned else [None]


def topic(stage: Stage, lane: Lane | None) -> str:
    """The topic a stage reads in a lane."""
    return f"{stage.takes.topic}.{lane}" if lane else stage.takes.topic


def group(stage: Stage, lane: Lane | None) -> str:
    """The consumer group in which processes share a stage's topic in a lane."""
    return f"{stage.name}.{lane}" if lane else stage.name


def labels(stage: Stage, lane: Lane | None) -> tuple[str, str]:
    """How metrics name the stage that reads an event of this lane, and the lane of its topic."""
    return stage.name, str(lane) if lane and stage.takes.laned else ALL


async def follow(stages: Sequence[Stage], event: Event, tools: "Tools") -> list[Event]:
    """Answer an event with the first stage, its events with the next, and so on up to the chain's end or a cut."""
    with tools.spent.step(stages[0].name):
        events = list(await stages[0].answer(event, tools))
    for stage in stages[1:]:
        if len(events) > tools.limits.chained_tiles or not all(isinstance(each, stage.takes) for each in events):
            break
        with tools.spent.step(stage.name):
            events = await _answer_each(stage, events, tools)
    return events


async def _answer_each(stage: Stage, events: Sequence[Event], tools: "Tools") -> list[Event]:
    """All answers in the order of the events, two events at a time: as many as a small Triton has instances."""
    room, begun = asyncio.Semaphore(TILES_AT_ONCE), tools.spent.now()
    answered = begun

    async def one(event: Event) -> Sequence[Event]:
        nonlocal answered
        async with room:
            tools.spent.since(begun)
            answer = await stage.answer(event, tools)
        answered = tools.spent.now()
        return answer

    tasks = [asyncio.ensure_future(one(event)) for event in events]
    try:
        answers = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    tools.spent.since(answered)  # others of this process may have kept the loop
    return [out for answer in answers for out in answer]
