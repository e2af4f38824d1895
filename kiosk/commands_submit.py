"""`submit`: send images and, if asked to, wait for them and fetch what was found."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk import folder, screen
from kiosk.commands_jobs import fetch
from kiosk.door import opened

if TYPE_CHECKING:
    from kiosk.client import Monolayer
    from kiosk.contract import JobView
    from kiosk.packing import Parcel
    from streams.events import Options

SHOWN = 10
"""So many rejected images are named; `monolayer rejected` names all."""
_COUNTS = ("images", "labelled", "rejected", "cancelled")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)


def submit(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Images, folders and zips. Each zip is a job, all others together one."),
    ],
    model: Annotated[str, typer.Option(help="See `monolayer models`.")] = "nuclei",
    pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="µm per pixel of the images; otherwise what the files say.")
    ] = None,
    diameter: Annotated[
        float | None, typer.Option(metavar="PX", help="Typical diameter of an object in pixels, instead.")
    ] = None,
    channel: Annotated[int | None, typer.Option(metavar="N", help="Channel to look at, counted from 1.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when all images have ended.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Wait, then fetch the results into DIR.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")] = False,
) -> None:
    """Send images to be labelled."""
    from kiosk.client import checked_options
    from kiosk.packing import pack

    options = checked_options(pixel_size, diameter, channel)
    parcels = pack(paths)
    with opened(ctx) as monolayer:
        if out is not None:
            folder.make(out)
        errand = Errand(monolayer, as_json, out)
        errand.send(parcels, model, options)
        if wait or out is not None:
            errand.wait()
            errand.tell()
        if out is not None:
            errand.fetch()
        raise typer.Exit(errand.end())


@dataclass(slots=True)
class Sent:
    """A parcel that became a job, and the last that was seen of it."""

    parcel: "Parcel"
    job: str
    seen: "JobView | None" = None


class Errand:
    """One submission, from the first byte sent to the last one fetched."""

    def __init__(self, monolayer: "Monolayer", as_json: bool, out: Path | None) -> None:
        self._monolayer, self._json, self._out = monolayer, as_json, out
        self._sent: list[Sent] = []

    def send(self, parcels: "Sequence[Parcel]", model: str, options: "Options") -> None:
        """Send all parcels; each becomes a job."""
        for parcel in parcels:
            try:
                with screen.transferring(parcel.name, parcel.size) as gone:
                    job = self._monolayer.send(parcel, model, options, sent=gone)
            except KeyboardInterrupt:
                screen.warn(f"\nStopped; {parcel.name} was not submitted.{self._how_to_return()}")
                raise typer.Exit(screen.INTERRUPTED) from None
            self._sent.append(Sent(parcel, job))
            if not self._json:
                screen.say(f"{parcel.name}: job {job}")

    def wait(self) -> None:
        """Wait until all jobs are done."""
        try:
            for sent in self._sent:
                with screen.watching(sent.parcel.name, self._json) as seen:
                    sent.seen = self._monolayer.wait(sent.job, seen)
        except KeyboardInterrupt:
            screen.warn(f"\nThe work goes on without you.{self._how_to_return()}")
            raise typer.Exit(screen.INTERRUPTED) from None

    def tell(self) -> None:
        """Say what became of the images."""
        for sent in self._sent:
            if sent.seen:
                self._tell(sent.seen)

    def fetch(self) -> None:
        """Fetch what was found: into the folder, or one below it for each of several jobs."""
        for sent, place in self._places():
            try:
                fetch(self._monolayer, sent.job, place, self._json)
            except KeyboardInterrupt:
                screen.warn(f"\nStopped; {_fetching(sent, place)}")
                raise typer.Exit(screen.INTERRUPTED) from None

    def end(self) -> int:
        """Say what is left to say; returns the exit code."""
        states = [sent.seen or self._monolayer.job(sent.job) for sent in self._sent]
        waited = all(sent.seen for sent in self._sent)
        if self._json:
            screen.say(json.dumps(summary(states)))
        elif not waited:
            screen.warn(self._how_to_return().strip())
        unlabelled = any(state.rejected or state.cancelled for state in states)
        return screen.SOME_REJECTED if waited and unlabelled else 0

    def _tell(self, state: "JobView") -> None:
        if not self._json:
            done = f"{state.labelled} of {screen.amount(state.images or 0, 'image')} labelled"
            screen.say(f"{state.name}: {done} in {screen.clock(state.seconds)}")
        if not state.rejected:
            return
        screen.warn(f"{screen.amount(state.rejected, 'image')} of {state.name} rejected:")
        for image in self._monolayer.rejected(state.job)[:SHOWN]:
            screen.warn(f"  {image.name}: {image.message}")
        if state.rejected > SHOWN:
            screen.warn(f"  and {state.rejected - SHOWN} more; `monolayer rejected {state.job}` names all.")

    def _places(self) -> "list[tuple[Sent, Path]]":
        """Each job and the folder that its results go into; none where they weren't asked for."""
        return list(zip(self._sent, self._folders(self._out), strict=True)) if self._out is not None else []

    def _folders(self, out: Path) -> list[Path]:
        if len(self._sent) == 1:
            return [out]
        names = [Path(sent.parcel.name).stem for sent in self._sent]
        twice = {name for name in names if [other.casefold() for other in names].count(name.casefold()) > 1}
        return [
            out / (f"{name}-{sent.job}" if name in twice else name)
            for name, sent in zip(names, self._sent, strict=True)
        ]

    def _how_to_return(self) -> str:
        shown = [f"`monolayer show {sent.job}` says how {sent.parcel.name} stands." for sent in self._sent]
        fetched = [_fetching(sent, place) for sent, place in self._places()]
        return "".join(f"\n{line}" for line in shown + fetched)


def _fetching(sent: Sent, place: Path) -> str:
    return f"`monolayer results {sent.job} --out {shlex.quote(str(place))}` fetches the results of {sent.parcel.name}."


def summary(states: "Sequence[JobView]") -> dict[str, object]:
    """What `--json` prints: one job, or totals and all jobs."""
    told = [_told(state) for state in states]
    if len(told) == 1:
        return told[0]
    totals: dict[str, object] = {name: sum(getattr(state, name) or 0 for state in states) for name in _COUNTS}
    seconds = max(state.created + state.seconds for state in states) - min(state.created for state in states)
    return {"job": None, **totals, "seconds": round(seconds, 3), "jobs": told}


def _told(state: "JobView") -> dict[str, object]:
    counts = {name: getattr(state, name) for name in _COUNTS}
    return {"job": state.job, **counts, "seconds": state.seconds}
