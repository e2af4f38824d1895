"""`submit`: send images and, if asked to, wait for them and fetch what was found."""

from pathlib import Path
from typing import Annotated

import typer

from kiosk.commands import folder
from kiosk.commands.door import opened
from kiosk.commands.errand import Errand
from kiosk.commands.jobs import Formats


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)


def submit(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Images, folders and zips. Each zip is a job, all others together one."),
    ],
    model: Annotated[str, typer.Option(metavar="NAME", help="See `monolayer models`.")] = "nuclei",
    pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="µm per pixel of the images; otherwise what the files say.")
    ] = None,
    diameter: Annotated[
        float | None, typer.Option(metavar="PX", help="Typical diameter of an object in pixels, instead.")
    ] = None,
    channel: Annotated[int | None, typer.Option(metavar="N", help="Channel to look at, counted from 1.")] = None,
    deadline: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Reject what isn't done after 90m, 2h or 1d; without it after a day."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="DOLLARS", help="Hold each job that costs more; `monolayer release` lets it go on."),
    ] = None,
    mark: Annotated[
        str,
        typer.Option(metavar="TEXT", help="A name for this submission: the same files with it again are the same job."),
    ] = "",
    notify: Annotated[
        str,
        typer.Option(metavar="URL", help="Have this address called when a job ends, by a signed message (a webhook)."),
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Return when all images have ended.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Wait, then fetch the results into DIR.")] = None,
    formats: Formats = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")] = False,
) -> None:
    """Send images to be labelled.

    \b
      monolayer submit plate1/ --out plate1-labels            wait, then fetch labels, overlays and tables
      monolayer submit a.zip b.zip --pixel-size 0.65          two jobs that go on by themselves
      monolayer submit plate1/ --mark plate1 --deadline 2h    may be run again: it stays one job

    Ctrl-C while it waits stops the waiting, not the work; `monolayer cancel` stops that. With --wait or --out, exit
    code 0 says that all images are labelled, 2 that some were rejected or cancelled.
    """
    from kiosk.client.options import Wanted, checked_budget, checked_deadline, checked_formats, checked_options, seconds
    from kiosk.client.packing import pack, told_apart

    wanted = Wanted(
        model, checked_options(pixel_size, diameter, channel), mark,
        checked_deadline(seconds(deadline) if deadline else None), checked_budget(budget), notify,
    )  # fmt: skip
    also = checked_formats(formats or ())
    parcels = pack(paths)
    if mark:
        told_apart(parcels)
    with opened(ctx) as monolayer:
        if out is not None:
            folder.make(out)
        errand = Errand(monolayer, as_json, out, also)
        errand.look(parcels, wanted)
        errand.send(parcels, wanted)
        if wait or out is not None:
            errand.wait()
            errand.tell()
        if out is not None:
            errand.fetch()
        raise typer.Exit(errand.end())
