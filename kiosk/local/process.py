"""What the supervisor is told about a process, and how fast it acts."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.local import child


class Broken(Exception):  # what happened, not whose error
    """A probe's answer: the process will not work again until it is started anew; the message says why."""


@dataclass(frozen=True, slots=True)
class Process:
    """A program to keep running.

    Parameters
    ----------
    name
        What people call it.
    argv
        The program and its arguments.
    probe
        Asks it for something real and raises if that doesn't come; called in a thread, or awaited if it is a
        coroutine function.
    log
        Where its output is appended.
    environment
        Variables beyond those of this process.
    before
        Called right before every start.
    start, stop
        Lower ones first; those with the same number together.
    grace_seconds
        How long it may take to work after a start.
    probe_seconds
        How long an answer may take.
    stop_seconds
        How long it may take to end after SIGTERM.
    nice
        How far it steps back where others want the processor, 0 to 19.
    """

    name: str
    argv: tuple[str, ...]
    probe: Callable[[], object]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    start: int = 0
    stop: int = 0
    grace_seconds: float = 60.0
    probe_seconds: float = 5.0
    stop_seconds: float = 5.0
    nice: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the supervisor acts; seconds, but for `failures`."""

    ask_starting: float = 0.1
    """Between two questions to a process that has not answered yet."""
    ask_ready: float = 2.0
    """Between two questions to one that has."""
    failures: int = 3
    """Answers missing in a row after which a process is replaced."""
    first_delay: float = 0.25
    """Before the first restart; doubled each time."""
    longest_delay: float = 5.0
    """Where the doubling ends; restarts never do."""
    settled: float = 30.0
    """Ready for this long, and the next restart is quick again."""
    stop_all: float = 12.0
    """For stopping everything, whatever the processes want."""


def bound_to_parent(argv: Iterable[str], with_signal: signal.Signals, nice: int = 0) -> list[str]:
    """Return an argv whose program gets a signal when this process ends, however it ends (Linux; else never).

    Parameters
    ----------
    argv
        The program and its arguments.
    with_signal
        What it gets.
    nice
        How far it steps back where others want the processor.
    """
    return [sys.executable, "-I", "-S", child.__file__, str(int(with_signal)), str(os.getpid()), str(nice), *argv]
