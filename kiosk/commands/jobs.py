"""Commands that look at jobs: `jobs`, `show`, `rejected`, `results`, `models`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands import folder, money, screen, summary
from kiosk.commands.door import opened, whole_id
from kiosk.errors import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosk.client import Monolayer
    from kiosk.contract import Format, JobView, RejectedImage

JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="The job, as `submit` and `jobs` print it, or the first letters of it.")
]
_COLUMNS = ("job", "name", "model", "begun", "state", "labelled", "rejected", "cancelled", "images")
_NARROW = ("job", "name", "begun", "state", "labelled", "rejected")
"""What has room on a terminal of 80 letters."""
_FETCHED = {
    "overlays": "overlays", "labels": "labels", "imagej": "imagej", "qupath": "qupath", "cells": "cells.csv",
    "images": "images.csv", "parquet": "cells.parquet", "manifest": folder.MANIFEST, "methods": "methods.txt",
}  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="CLASS", help="Only images rejected for this reason.")]
Formats = Annotated[
    list[str] | None,
    typer.Option("--format", metavar="FORMAT", help="Results also as imagej, qupath or parquet; several with commas."),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the results.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (jobs, show, rejected, results, models):
        app.command()(command)


def jobs(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    with opened(ctx) as monolayer:
        found = monolayer.jobs(limit)
    if as_json:
        screen.say(json.dumps({"jobs": [job.model_dump(mode="json") for job in found]}))
    else:
        columns, row = (_NARROW, _narrow) if screen.is_terminal() else (_COLUMNS, _row)
        screen.table(columns, [row(job) for job in found], whole="job", cut="name")


def show(ctx: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Say where a job stands."""
    with opened(ctx) as monolayer:
        found = monolayer.job(whole_id(monolayer, job))
        doubts = monolayer.doubtful(found.job).images if found.over and found.labelled and not as_json else []
    if as_json:
        screen.say(found.model_dump_json())
        return
    for line in [*described(found), *summary.doubtful([(image.name, image.flags) for image in doubts])]:
        screen.say(line)


def rejected(ctx: typer.Context, job: JobId, reason: Reason = None, as_json: Json = False) -> None:
    """List the images of a job that have no labels, and why.

    The reason classes: bad_input (the file is damaged or no image), too_large, unsupported (an image of a kind that
    isn't read), model_error, timeout (the deadline passed), infrastructure (something failed again and again), killed
    (a worker died on it, again and again). For the last four `monolayer replay` may help; for the others, other files.

    With --json, or where no terminal reads it, the trace id comes along, which the image's Kafka messages carry; with
    --json the event that failed does, too.
    """
    from kiosk.client.options import checked_reason

    with opened(ctx) as monolayer:
        job = whole_id(monolayer, job)
        found = monolayer.rejected(job, checked_reason(reason))
    if as_json:
        screen.say(json.dumps({"rejected": [image.model_dump(mode="json") for image in found]}))
        return
    if not found:
        screen.say(f"No image of job {job} was rejected{f' as {reason}' if reason else ''}.")
        return
    _show_rejected(found)


def results(ctx: typer.Context, job: JobId, out: Out, formats: Formats = None) -> None:
    """Fetch a job's labels, overlays, table of cells and manifest.

    With --format they come in more formats beside those: `imagej` (regions for the ROI Manager, a zip for each image),
    `qupath` (GeoJSON, for each image), `parquet` (the table of cells).
    """
    from kiosk.client.options import checked_formats

    wanted = checked_formats(formats or ())
    with opened(ctx) as monolayer:
        found = monolayer.job(whole_id(monolayer, job))
        folder.make(out)
        if not found.over:
            screen.warn(f"Job {found.job} is not done; these are the results so far.")
        fetch(monolayer, found.job, out, formats=wanted)


def models(ctx: typer.Context) -> None:
    """List the models that a job can name."""
    with opened(ctx) as monolayer:
        found = monolayer.models()
    rows = [(model.name, model.version, f"{model.pixel_size} µm", f"{model.diameter} px") for model in found]
    screen.table(("model", "version", "pixel size", "diameter"), rows)


def fetch(monolayer: "Monolayer", job: str, out: Path, quiet: bool = False, formats: "Sequence[Format]" = ()) -> None:
    """Fetch a job's results; say where they are and how many cells they hold."""
    before = folder.look(out)
    if before and before.job != job:
        screen.warn(
            f"{out} already holds results of job {before.job}; files of the same name are replaced, others stay."
        )
    try:
        with screen.transferring("results", None, quiet) as received:
            monolayer.results(job, out, received, formats)
    except OSError as error:
        raise CannotWrite(_no_room(job, out, error)) from None
    for what, name in _FETCHED.items():
        if not quiet and (out / name).exists():
            screen.say(f"{what:9} {out / name}")
    found = folder.look(out)
    if found and not quiet:
        for line in summary.lines(found):
            screen.say(line)


def told(image: "RejectedImage") -> str:
    """Which image it is and what is the matter with it; most messages begin with its name already."""
    said = image.message if image.message.startswith(image.name) else f"{image.name}: {image.message}"
    return said.replace("\n", "\\n")


def described(job: "JobView") -> list[str]:
    """A job in a few lines."""
    asked = ", ".join(f"{name} {value}" for name, value in job.options.model_dump(exclude_none=True).items())
    lines = [
        f"{job.name}, model {job.model}{f' ({asked})' if asked else ''}",
        f"{job.state}: {screen.counts(job)}, {screen.took(job)}",
    ]
    if still := screen.standing(job):
        lines.append(still)
    lines += money.lines(job)
    if job.round:
        again = f"rejected images were sent through again {screen.amount(job.round, 'time')}"
        lines.append(f"{again}; the time is that of the last, {screen.clock(job.seconds)} since the job was accepted")
    if job.held:
        lines.append("`monolayer held` shows what is held, `monolayer release` lets it go on")
    if not job.over and job.deadline:
        lines.append(f"images still in flight after {screen.clock(job.deadline)} of work are rejected")
    if job.rejected:
        lines.append(f"`monolayer rejected {job.job}` says why")
    if job.labelled:
        lines.append(f"`monolayer results {job.job} --out DIR` fetches the results")
    return lines


def _show_rejected(found: "Sequence[RejectedImage]") -> None:
    if screen.is_terminal():
        screen.table(("reason", "attempts", "image"), [(each.reason, str(each.attempts), told(each)) for each in found])
        return
    columns = ("image", "reason", "attempts", "message", "trace id")
    screen.table(columns, [(each.name, each.reason, str(each.attempts), each.message, each.trace) for each in found])


def _no_room(job: str, out: Path, error: OSError) -> str:
    return (
        f"The results can't be written to {out}: {error.strerror or error}. The job and its results are safe; "
        f"`monolayer results {job} --out ELSEWHERE` fetches them."
    )


def _row(job: "JobView") -> tuple[str, ...]:
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
    counts = str(job.labelled), str(job.rejected), str(job.cancelled)
    return job.job, job.name, job.model, begun, _state(job), *counts, _images(job)


def _narrow(job: "JobView") -> tuple[str, ...]:
    begun = time.strftime("%m-%d %H:%M", time.localtime(job.created))
    state = "cancelled" if job.over and job.cancelled else _state(job)
    return job.job, job.name, begun, state, f"{job.labelled} of {_images(job)}", str(job.rejected)


def _state(job: "JobView") -> str:
    return "held" if job.held else "waiting" if job.waiting else job.state


def _images(job: "JobView") -> str:
    return "?" if job.images is None else str(job.images)
