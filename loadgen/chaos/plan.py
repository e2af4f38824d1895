"""What a run is to be, and who hears how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loadgen.chaos.load import PATIENCE
from loadgen.chaos.report import Injected
from loadgen.chaos.world import Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. With `minutes`, the load goes on for so long, however few its images."""

    images: int
    faults: int
    seed: int
    kinds: Sequence[Kind]
    minutes: float = 0.0
    side: int = 64
    workers: int = 2
    poison: float = 0.0
    preempt_every: float = 0.0
    supervisor: str = "kiosk.local"
    patience: float = PATIENCE
    distinct: int = 10_000
    """So many images differ; the undisturbed run takes them once, and a larger load submits them again."""
    traces: bool = False
    """Whether what watches a Monolayer runs as well, and each image's trace is checked."""

    @property
    def jobs(self) -> int:
        """How often the archive is submitted for the whole load."""
        return -(-self.images // self.distinct)

    @property
    def archived(self) -> int:
        """Images in the archive, so that all jobs together have at least as many as were asked for."""
        return -(-self.images // self.jobs)


class Teller(Protocol):
    """Shows a person how far a run is."""

    def say(self, what: str) -> None:
        """Begin a new phase, or mention something."""

    def count(self, done: int, of: int) -> None:
        """So many images of the phase's job have ended."""

    def fault(self, fault: Injected) -> None:
        """A fault is over."""
