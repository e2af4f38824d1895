"""What a person sees: answers on standard output, progress and complaints on standard error."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.contract import JobView

FAILED, SOME_REJECTED, INTERRUPTED = 1, 2, 130
"""Exit codes."""
QUIET_SECONDS = 15.0
"""Where there is no terminal to draw on, a line is printed so often."""


def say(text: str) -> None:
    """Print an answer at once: a reader that has gone is noticed here, and not when Python ends."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print a complaint or a hint."""
    print(text, file=sys.stderr)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], whole: str = "") -> None:
    """Print rows below headings: as a table for a person, whose column `whole` never wraps; with tabs for a program."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            say("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold", no_wrap=column == whole)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
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
    """How fast a job goes, from the moment its first images had ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def note(self, job: "JobView") -> str:
        """The job's state in a few words."""
        if job.images is None:
            return "reading the list of images"
        told = f"{job.labelled} of {job.images} labelled" + (f", {job.rejected} rejected" if job.rejected else "")
        speed = self._speed(ended(job))
        if not speed or job.over:
            return told
        return f"{told}, {speed:.1f} images/s, {clock((job.images - ended(job)) / speed)} left"

    def _speed(self, count: int) -> float:
        now = self._clock()
        if self._first is None:
            self._first = (now, count) if count else None
            return 0.0
        since, before = self._first
        return (count - before) / (now - since) if now > since else 0.0


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


def amount(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
