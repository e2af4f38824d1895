"""What a person sees: answers on standard output, progress and complaints on standard error."""

import json
import re
import shlex
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.contract import JobView

FAILED, SOME_REJECTED, INTERRUPTED = 1, 2, 130
"""Exit codes."""
STOPPED = "\nStopped."
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves, colours or turns round what a terminal shows; line breaks and tabs are ours."""
QUIET_SECONDS = 15.0
"""Where there is no terminal to draw on, a line is printed so often."""
PAUSE_SECONDS = 5.0
"""Nothing was heard of a job for so long: how fast it goes is measured anew."""
STEPS = 40
"""How fast a job goes is told from so many steps of its progress."""


def say(text: str) -> None:
    """Print an answer at once: a reader that has gone is noticed here, and not when Python ends."""
    print(harmless(text), flush=True)


def warn(text: str) -> None:
    """Print a complaint or a hint."""
    print(harmless(text), file=sys.stderr)


def harmless(text: str) -> str:
    """The text without what speaks to a terminal: names of files come from strangers' archives."""
    return _COMMANDS.sub(lambda found: repr(found.group())[1:-1], text)


def is_terminal() -> bool:
    """Whether a person reads the answers, and not a program."""
    return sys.stdout.isatty()


def variables(named: Mapping[str, str], as_json: bool) -> None:
    """Print what a shell is to know, or one JSON object."""
    if as_json:
        say(json.dumps(named))
        return
    for name, value in named.items():
        say(f"export {name}={shlex.quote(value)}")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], whole: str = "", cut: str = "") -> None:
    """Print rows below headings, as a table for a person, with tabs for a program.

    Of a table's columns `whole` is never shortened, and `cut` is shortened so that no row takes two lines.
    """
    if not is_terminal():
        for row in (columns, *rows):
            say("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold", no_wrap=column == whole or bool(cut and column != cut))
    for row in rows:
        texts = {name: Text(harmless(cell)) for name, cell in zip(columns, row, strict=True)}
        if cut:
            texts[cut].no_wrap, texts[cut].overflow = True, "ellipsis"
        drawn.add_row(*texts.values())
    Console().print(drawn)


@contextmanager
def transferring(what: str, total: int | None, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a transfer's progress and speed; yields what takes the bytes so far."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = [BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()]
    text = TextColumn("{task.description}", markup=False)
    with Progress(text, *columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.update(task, completed=count)


@contextmanager
def watching(what: str, quiet: bool = False) -> "Iterator[Callable[[JobView], None]]":
    """Show a job's progress; yields what takes its states."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    pace = Pace()
    if not console.is_terminal:
        yield (lambda job: None) if quiet else _Lines(what, pace).take
        return
    text = TextColumn("{task.description}", markup=False)
    with Progress(text, BarColumn(), TextColumn("{task.fields[note]}", markup=False), console=console) as progress:
        task = progress.add_task(what, total=None, note="waiting")
        yield lambda job: progress.update(task, total=job.images, completed=ended(job), note=pace.note(job))


class Pace:
    """How fast a job goes, by the last times that images ended; and how long it has been standing still."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: deque[tuple[float, int]] = deque(maxlen=STEPS)
        self._looked: float | None = None
        self._still: tuple[str, float] = ("", 0.0)

    def note(self, job: "JobView") -> str:
        """The job's state in a few words."""
        told = counts(job)
        if job.images is None:
            return self._standing(job) or told
        if job.over:
            return told
        still = self._standing(job)
        speed = self._speed(ended(job))
        if still:
            return f"{told}; {still}"
        if not speed:
            return told
        return f"{told}, {speed:.1f} images/s, {clock((job.images - ended(job)) / speed)} left"

    def _standing(self, job: "JobView") -> str:
        """Why nothing moves, and since when that was seen; empty where nothing stands in the way."""
        why = standing(job)
        if why != self._still[0]:
            self._still = (why, self._clock())
        if not why:
            return ""
        seconds = self._clock() - self._still[1]
        return f"{why} (for {clock(seconds)})" if seconds >= 1 else why

    def _speed(self, count: int) -> float:
        """Images per second; measured anew after a pause, as that says nothing of what is to come."""
        now = self._clock()
        if self._still[0] or (self._looked is not None and now - self._looked > PAUSE_SECONDS):
            self._steps.clear()
        self._looked = now
        if count and (not self._steps or count > self._steps[-1][1]):
            self._steps.append((now, count))
        if len(self._steps) < 2:
            return 0.0
        since, before = self._steps[0]
        return (count - before) / (now - since)


class _Lines:
    """Progress for logs: a line now and then."""

    def __init__(self, what: str, pace: Pace) -> None:
        self._what, self._pace = what, pace
        self._next = time.monotonic() + QUIET_SECONDS

    def take(self, job: "JobView") -> None:
        note = self._pace.note(job)
        if time.monotonic() >= self._next:
            warn(f"{self._what}: {note}")
            self._next = time.monotonic() + QUIET_SECONDS


def counts(job: "JobView") -> str:
    """`5 of 9 labelled, 1 rejected`."""
    if job.images is None:
        return "reading the list of images"
    others = ((job.rejected, "rejected"), (job.cancelled, "cancelled"))
    return f"{job.labelled} of {job.images} labelled" + "".join(f", {count} {how}" for count, how in others if count)


def standing(job: "JobView") -> str:
    """Why nothing moves; empty where nothing stands in the way."""
    return f"held: {job.held}" if job.held else job.waiting and f"waiting: {job.waiting}"


def ended(job: "JobView") -> int:
    """How many of a job's images have come to an end."""
    return job.labelled + job.rejected + job.cancelled


def clock(seconds: float) -> str:
    """A duration as `4 s`, `2:05` or `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"


def took(job: "JobView") -> str:
    """How long a job took, or takes so far; of one whose images went through again, the last time."""
    return clock(job.seconds if job.round_seconds is None else job.round_seconds)


def amount(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
