"""What a run did, written down as it happens: whoever was killed in the middle can still be reported and verified."""

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadgen.run.plan import BadPlan, Due, Plan

RUN, SENT, MACHINE = "run.json", "sent.jsonl", "machine.jsonl"


@dataclass(frozen=True, slots=True)
class Sent:
    """A zip that was sent, or could not be. Moments in seconds since 1970."""

    due: Due
    at: float
    """When it was due."""
    begun: float
    """When sending began: later where the machine that sends was not free."""
    answered: float
    """When it was accepted, or given up."""
    size: int
    """Bytes."""
    job: str = ""
    """Empty where it was not accepted."""
    problem: str = ""
    """Why not."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the machine did at a moment."""

    at: float
    cpu: float
    """The part of all cores that was busy since the last sample."""
    memory: float
    """Bytes that Monolayer's processes have here; 0 where it runs elsewhere."""
    seconds: dict[str, float] = field(default_factory=dict)
    """CPU seconds so far of each of Monolayer's processes here, with its children; and of the one that sends."""


@dataclass(frozen=True, slots=True)
class About:
    """What was run, where, and by which versions."""

    plan: Plan
    begun: float
    machine: dict[str, Any]
    system: dict[str, Any]
    """What is under load: its API's address, its version, the model."""

    def as_json(self) -> dict[str, Any]:
        """As it lies in the folder."""
        return {
            "plan": self.plan.model_dump(),
            "begun": self.begun,
            "machine": self.machine,
            "system": self.system,
        }


class Journal:
    """The folder of a run, as it is written; safe from any thread."""

    def __init__(self, folder: Path, about: About) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / RUN).exists():
            raise BadPlan(f"{folder} holds a run already: name another folder, or `loadgen report {folder}` that one.")
        (folder / RUN).write_text(json.dumps(about.as_json(), indent=1))

    def sent(self, sent: Sent) -> None:
        """A zip was sent, or given up."""
        self._append(SENT, asdict(sent))

    def sampled(self, sample: Sample) -> None:
        """The machine was looked at."""
        self._append(MACHINE, asdict(sample))

    def _append(self, name: str, line: dict[str, Any]) -> None:
        with self._lock, (self._folder / name).open("a") as file:
            file.write(json.dumps(line) + "\n")


def read_about(folder: Path) -> About:
    """What a folder's run was; raises `BadPlan` where it holds none."""
    try:
        told = json.loads((folder / RUN).read_text())
        return About(Plan.checked(**told["plan"]), told["begun"], told["machine"], told["system"])
    except (OSError, ValueError, KeyError, TypeError) as why:
        raise BadPlan(f"{folder} holds no run: there is no {RUN} that can be read ({why}).") from None


def read_sent(folder: Path) -> list[Sent]:
    """All zips of a folder's run, in the order of the schedule."""
    sent = [Sent(**(told | {"due": Due(**told["due"])})) for told in _lines(folder / SENT)]
    return sorted(sent, key=lambda each: each.due.number)


def read_samples(folder: Path) -> list[Sample]:
    """What its machine did."""
    return [Sample(**told) for told in _lines(folder / MACHINE)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines: the last one may have been cut off by a death."""
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return
