"""One submission on the command line: sent, waited for, told of, fetched, and how to come back to it."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kiosk.commands import screen
from kiosk.commands.jobs import fetch, told
from kiosk.errors import Broken, MonolayerError, NotRunning

if TYPE_CHECKING:
    from kiosk.client import Monolayer
    from kiosk.client.options import Wanted
    from kiosk.client.packing import Parcel
    from kiosk.contract import Format, JobView

SHOWN = 10
"""So many rejected images are named; `monolayer rejected` names all."""
FEW = 3
"""So many files that were left out are named."""
LOOKED_AT = 20
"""The newest jobs, among which the same submission is looked for."""
_COUNTS = ("images", "labelled", "rejected", "cancelled")


@dataclass(slots=True)
class Sent:
    """A parcel that became a job, and the last that was seen of it."""

    parcel: "Parcel"
    job: str
    seen: "JobView | None" = None


class Errand:
    """One submission, from the first byte sent to the last one fetched."""

    def __init__(
        self, monolayer: "Monolayer", as_json: bool, out: Path | None, formats: "Sequence[Format]" = ()
    ) -> None:
        self._monolayer, self._json, self._out, self._formats = monolayer, as_json, out, formats
        self._sent: list[Sent] = []

    def look(self, parcels: "Sequence[Parcel]", wanted: "Wanted") -> None:
        """Say what isn't sent, and what is under way already."""
        for parcel in parcels:
            if parcel.left_out:
                screen.warn(_left_out(parcel.left_out))
        for job in self._monolayer.jobs(LOOKED_AT) if not wanted.submission else ():
            if not job.over and _is_same(job, parcels, wanted):
                screen.warn(
                    f"Job {job.job} of the same name and options is still running; "
                    f"`monolayer results {job.job} --out DIR` fetches it."
                )

    def send(self, parcels: "Sequence[Parcel]", wanted: "Wanted") -> None:
        """Send all parcels; each becomes a job."""
        for parcel in parcels:
            try:
                with screen.transferring(parcel.name, parcel.size) as gone:
                    made = self._monolayer.send(parcel, wanted, gone)
            except KeyboardInterrupt:
                screen.warn(f"\nStopped; {parcel.name} was not submitted.{self._how_to_return()}")
                raise typer.Exit(screen.INTERRUPTED) from None
            self._sent.append(Sent(parcel, made.job))
            if made.again:
                screen.warn(f"{parcel.name} was submitted as {wanted.submission!r} before; it is the same job.")
            if not self._json:
                screen.say(f"{parcel.name}: job {made.job}")
            if made.signed_with:
                screen.warn(f"The message that it has ended is signed with {made.signed_with}")

    def wait(self) -> None:
        """Wait until all jobs are done."""
        with self._interruptible("The work goes on without you."):
            for sent in self._sent:
                with screen.watching(sent.parcel.name, self._json) as seen:
                    sent.seen = self._monolayer.wait(sent.job, seen)

    @contextmanager
    def _interruptible(self, farewell: str) -> Iterator[None]:
        """Whatever ends the waiting, the user or Monolayer: say how to come back."""
        try:
            yield
        except KeyboardInterrupt:
            screen.warn(f"\n{farewell}{self._how_to_return()}{self._how_to_stop()}")
            raise typer.Exit(screen.INTERRUPTED) from None
        except MonolayerError as error:
            screen.warn(f"{error}\nWhat was submitted is kept.{self._how_to_return()}{self._how_to_stop()}")
            raise typer.Exit(screen.FAILED) from None

    def tell(self) -> None:
        """Say what became of the images."""
        for sent in self._sent:
            if sent.seen:
                self._tell(sent.seen)

    def fetch(self) -> None:
        """Fetch what was found: into the folder, or one below it for each of several jobs."""
        for sent, place in self._places():
            try:
                fetch(self._monolayer, sent.job, place, self._json, self._formats)
            except KeyboardInterrupt:
                screen.warn(f"\nStopped; {_fetching(sent, place)}")
                raise typer.Exit(screen.INTERRUPTED) from None
            except (NotRunning, Broken) as error:
                screen.warn(f"{error}\n{_fetching(sent, place)}")
                raise typer.Exit(screen.FAILED) from None

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
            screen.say(f"{state.name}: {done} in {screen.took(state)}")
        if state.cancelled:
            screen.warn(f"{screen.amount(state.cancelled, 'image')} of {state.name} cancelled.")
        if not state.rejected:
            return
        screen.warn(f"{screen.amount(state.rejected, 'image')} of {state.name} rejected:")
        for image in self._monolayer.rejected(state.job, limit=SHOWN):
            screen.warn(f"  {told(image)}")
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

    def _how_to_stop(self) -> str:
        going = [sent for sent in self._sent if not (sent.seen and sent.seen.over)]
        return "".join(f"\n`monolayer cancel {sent.job}` stops the work on {sent.parcel.name}." for sent in going)


def _fetching(sent: Sent, place: Path) -> str:
    return f"`monolayer results {sent.job} --out {shlex.quote(str(place))}` fetches the results of {sent.parcel.name}."


def _left_out(names: "Sequence[str]") -> str:
    others = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    files = "1 other file was" if len(names) == 1 else f"{len(names)} other files were"
    return f"{files} left out: {', '.join(names[:FEW])}{others}"


def _is_same(job: "JobView", parcels: "Sequence[Parcel]", wanted: "Wanted") -> bool:
    named = job.name in {parcel.name for parcel in parcels}
    return named and (job.model, job.options) == (wanted.model, wanted.options)


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
