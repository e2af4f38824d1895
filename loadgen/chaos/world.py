"""What a fault may lay hands on, and what is measured on the way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from loadgen.chaos.completions import Completions
from loadgen.chaos.holdings import Holdings
from loadgen.chaos.records import Records
from loadgen.chaos.stack import Stack


class NotMet(Exception):
    """The moment that a fault waits for did not come; it was not injected."""


@dataclass(slots=True)
class Measured:
    """Seconds, one figure for each time."""

    exits: list[float] = field(default_factory=list)
    """From SIGTERM to the end of the process."""
    takeovers: list[float] = field(default_factory=list)
    """From a worker's kill -9 until the first image that it held was in other hands."""
    taken_up: list[float] = field(default_factory=list)
    """From the same moment until the last one was worked on again: those of a dead worker are tried one at a time."""
    gaps: list[float] = field(default_factory=list)
    """The longest pause in completions of each planned roll of all workers."""


@dataclass(slots=True)
class World:
    """The system under test, from outside."""

    stack: Stack
    records: Records
    completions: Completions
    holdings: Holdings
    random: Random
    submit_few: Callable[[], Awaitable[None]]
    """Submits a handful of images as a job of its own, for what happens at a job's beginning and end only."""
    submit_some: Callable[[], Awaitable[None]]
    """Submits the smallest job that is announced in slices."""
    measured: Measured = field(default_factory=Measured)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: what it is called, what it is counted under, and how to inject it and heal it again.

    `inject` returns when the fault is over, with a few words on what was hit; raises `NotMet`.
    """

    name: str
    group: str
    inject: Callable[[World], Awaitable[str]]
    weight: int = 1
    """How often it comes, against the others of its group."""
    alone: bool = False
    """Whether it waits for the others to be over and keeps them waiting, because it is measured."""
