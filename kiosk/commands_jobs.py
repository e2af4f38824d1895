"""Commands that look at jobs: `jobs`, `show`, `rejected`, `results`, `models`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk import folder, screen
from kiosk.door import opened

if TYPE_CHECKING:
    from kiosk.client import Monolayer
    from kiosk.contract import JobView
    from kiosk.folder import Found

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job, as `submit` and `jobs` print it.")]
_FETCHED = {"overlays": "overlays", "labels": "labels", "cells": "cells.csv", "manifest": folder.MANIFEST}
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the results.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (jobs, show, rejected, results, models):
        app.command()(command)


def jobs(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    with opened(ctx) as monolayer:
        found = monolayer.jobs(limit)
    if as_json:
        screen.say(json.dumps({"jobs": [job.model_dump(mode="json") for job in found]}))
    else:
        columns = ("job", "name", "model", "begun", "state", "labelled", "rejected", "images")
        screen.table(columns, [_row(job) for job in found], whole="job")


def show(ctx: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Say where a job stands."""
    with opened(ctx) as monolayer:
        found = monolayer.job(job)
    if as_json:
        screen.say(found.model_dump_json())
    else:
        for line in described(found):
            screen.say(line)


def rejected(ctx: typer.Context, job: JobId, as_json: Json = False) -> None:
    """List the images of a job that have no labels, and why."""
    with opened(ctx) as monolayer:
        found = monolayer.rejected(job)
    if as_json:
        screen.say(json.dumps({"rejected": [image.model_dump(mode="json") for image in found]}))
    else:
        screen.table(("image", "reason", "message"), [(image.name, image.reason, image.message) for image in found])


def results(ctx: typer.Context, job: JobId, out: Out) -> None:
    """Fetch labels, overlays, the table of cells and the manifest of a job."""
    with opened(ctx) as monolayer:
        found = monolayer.job(job)
        folder.make(out)
        if not found.over:
            screen.warn(f"Job {job} is not done; these are the results so far.")
        fetch(monolayer, job, out)


def models(ctx: typer.Context) -> None:
    """List the models that a job can name."""
    with opened(ctx) as monolayer:
        found = monolayer.models()
    rows = [(model.name, model.version, f"{model.pixel_size} µm", f"{model.diameter} px") for model in found]
    screen.table(("model", "version", "pixel size", "diameter"), rows)


def fetch(monolayer: "Monolayer", job: str, out: Path, quiet: bool = False) -> None:
    """Fetch a job's results; say where they are and how many cells they hold."""
    before = folder.look(out)
    if before and before.job != job:
        screen.warn(
            f"{out} already holds results of job {before.job}; files of the same name are replaced, others stay."
        )
    with screen.transferring("results", None, quiet) as received:
        monolayer.results(job, out, received)
    for what, name in _FETCHED.items():
        if not quiet and (out / name).exists():
            screen.say(f"{what:9} {out / name}")
    found = folder.look(out)
    if found and not quiet:
        for line in counted(found):
            screen.say(line)


def counted(found: "Found") -> list[str]:
    """How many cells there are, and whether the overlays show their images smaller than they are."""
    lines = []
    if found.cells:
        total, images = screen.amount(sum(found.cells), "cell"), screen.amount(len(found.cells), "image")
        lines.append(f"{total} in {images}, {found.median:g} per image (median)")
    if found.reduced:
        pictured = screen.amount(found.reduced, "image")
        lines.append(f"overlays of {pictured} are reduced: their longer side is {found.longest} pixels")
    return lines


def described(job: "JobView") -> list[str]:
    """A job in a few lines."""
    asked = ", ".join(f"{name} {value}" for name, value in job.options.model_dump(exclude_none=True).items())
    lines = [
        f"{job.name}, model {job.model}{f' ({asked})' if asked else ''}",
        f"{job.state}: {screen.Pace().note(job)}, {screen.clock(job.seconds)}",
    ]
    if job.cancelled:
        lines.append(f"{screen.amount(job.cancelled, 'image')} cancelled")
    if job.rejected:
        lines.append(f"`monolayer rejected {job.job}` says why")
    if job.labelled:
        lines.append(f"`monolayer results {job.job} --out DIR` fetches the results")
    return lines


def _row(job: "JobView") -> tuple[str, ...]:
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
    images = "?" if job.images is None else str(job.images)
    return job.job, job.name, job.model, begun, job.state, str(job.labelled), str(job.rejected), images
