"""`trace`: where the time of an image went, as a waterfall in the terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands import screen
from kiosk.commands.door import opened, whole_id
from kiosk.commands.jobs import JobId, Json
from kiosk.errors import CannotSend

if TYPE_CHECKING:
    from kiosk.client import Monolayer
    from kiosk.traces import JobTraceView, SpanView, TraceView

BAR = 32
"""Letters of the longest bar."""
_COLUMNS = ("what", "after", "seconds", "share")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)


def trace(
    ctx: typer.Context,
    job: JobId,
    image: Annotated[
        str | None, typer.Argument(metavar="[IMAGE]", help="An image's number or name; without it, the job.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show where the time of an image went: from its upload to its labels.

    Each line is within the one above it that stands further left. `wait` is waiting for a turn, from the moment when
    the image's event was sent. Without an image: how the job was listed, and which of its images took longest.

    Traces are kept where Monolayer was started with `monolayer up --observe`.
    """
    with opened(ctx) as monolayer:
        job = whole_id(monolayer, job)
        whole = monolayer.job_trace(job) if image is None else None
        found = whole or monolayer.trace(job, _number(monolayer, job, image or ""))
    if as_json:
        screen.say(found.model_dump_json())
        return
    _show(found)
    if whole:
        _show_slowest(whole)


def _number(monolayer: "Monolayer", job: str, image: str) -> int:
    if image.isdecimal():
        return int(image)
    for page in monolayer.images(job):
        for each in page.images:
            if each.name == image:
                return each.image
    raise CannotSend(f"Job {job} has no image called {image!r}.")


def _show(found: "TraceView") -> None:
    if not found.spans:
        screen.say("There is no trace of the job itself.")
        return
    rows = [_row(depth, span, found.seconds) for depth, span in _nested(found)]
    if not screen.is_terminal():
        screen.table(_COLUMNS, [row[:4] for row in rows])
        return
    screen.table((*_COLUMNS, ""), rows, whole="")
    screen.say(f"\ntrace {found.trace}: {screen.clock(found.seconds)}")


def _row(depth: int, span: "SpanView", whole: float) -> tuple[str, ...]:
    share = span.seconds / whole if whole else 0.0
    name = "  " * depth + span.name
    if attempt := span.about.get("attempt"):
        name += f" (attempt {attempt})" if attempt != "1" else ""
    return name, f"{span.after:.3f}", f"{span.seconds:.3f}", f"{share:.1%}", _bar(span, whole)


def _bar(span: "SpanView", whole: float) -> str:
    if not whole:
        return ""
    before = round(BAR * span.after / whole)
    length = max(1, round(BAR * span.seconds / whole))
    return " " * min(before, BAR - 1) + "█" * length


def _nested(found: "TraceView") -> "Iterator[tuple[int, SpanView]]":
    """Every span with its depth, parents before their children, in the order of time."""
    below: dict[str, list[SpanView]] = {}
    known = {span.span for span in found.spans}
    for span in sorted(found.spans, key=lambda span: (span.after, span.seconds)):
        below.setdefault(span.parent if span.parent in known else "", []).append(span)

    def walk(parent: str, depth: int) -> "Iterator[tuple[int, SpanView]]":
        for span in below.get(parent, ()):
            yield depth, span
            yield from walk(span.span, depth + 1)

    yield from walk("", 0)


def _show_slowest(found: "JobTraceView") -> None:
    if not found.slowest:
        screen.say("No image of it has ended yet, or none was traced.")
        return
    screen.say("\nIts slowest images:")
    rows = [
        (str(each.image), each.name, f"{each.seconds:.3f}", each.outcome, str(each.attempts)) for each in found.slowest
    ]
    screen.table(("image", "name", "seconds", "outcome", "attempts"), rows, cut="name")
