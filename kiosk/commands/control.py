"""Commands that change the course of a job: `cancel`, `replay`, `held`, `release`."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands import screen
from kiosk.commands.door import opened, whole_id
from kiosk.commands.jobs import JobId, Json, Reason
from kiosk.errors import CannotSend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosk.client import Monolayer
    from kiosk.contract import HeldView, JobView, Replayed


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (cancel, replay, held, release):
        app.command()(command)


def cancel(ctx: typer.Context, job: JobId, as_json: Json = False) -> None:
    """End a job: what is labelled stays, nothing more is begun.

    Labels already under way may still come in the next seconds, and count. `monolayer results` fetches what there is.
    A cancelled job stays cancelled; submit the images anew, under another mark if they had one, to have the others.
    """
    with opened(ctx) as monolayer:
        found = monolayer.cancel(whole_id(monolayer, job))
    if as_json:
        screen.say(found.model_dump_json())
        return
    if not found.cancelled:
        screen.say(f"{found.name} had ended before: {screen.counts(found)}.")
        return
    screen.say(f"{found.name} is cancelled: {screen.counts(found)}.")
    screen.warn(f"Labels under way may still come; `monolayer results {found.job} --out DIR` fetches what there is.")


def replay(
    ctx: typer.Context,
    job: JobId,
    reason: Reason = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only the image of this name; * and ? stand for any characters."),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Reject what isn't done after 90m, 2h or 1d; without it as the job said."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when they have ended.")] = False,
    as_json: Json = False,
) -> None:
    """Send the rejected images of a job through again.

    Exactly those, from the file that was uploaded; what is labelled is not done again. The deadline begins anew.

    \b
      monolayer replay 4f1c... --reason timeout --deadline 2d
      monolayer replay 4f1c... --image 'week 1/*' --wait

    Where there is nothing to send through again, it says so; that is no error. With --wait the exit code is 2 where
    images were rejected again.
    """
    from kiosk.client.options import checked_deadline, checked_reason, seconds

    within = checked_deadline(seconds(deadline) if deadline else None)
    with opened(ctx) as monolayer:
        job = whole_id(monolayer, job)
        begun = monolayer.replay(job, checked_reason(reason), image, within)
        _tell(_begun(begun), as_json)
        ended = _waited(monolayer, job, as_json) if wait and begun.images else None
    if as_json:
        told = {"job": job, "round": begun.round, "images": begun.images, "note": begun.note}
        screen.say(json.dumps(told | ({"state": ended.model_dump(mode="json")} if ended else {})))
    raise typer.Exit(screen.SOME_REJECTED if ended and (ended.rejected or ended.cancelled) else 0)


def held(ctx: typer.Context, as_json: Json = False) -> None:
    """List models and jobs that are held.

    Nothing is begun for them until `monolayer release`. A model is held when it fails on everything, so that not every
    image that waits is rejected.
    """
    with opened(ctx) as monolayer:
        found = monolayer.held()
    if as_json:
        screen.say(json.dumps({"held": [each.model_dump(mode="json") for each in found]}))
        return
    if not found and screen.is_terminal():
        screen.say("Nothing is held.")
        return
    rows = [(each.kind, each.name, screen.clock(max(0.0, time.time() - each.since)), each.why) for each in found]
    screen.table(("what", "name", "since", "why"), rows, whole="name")


def release(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="MODEL|JOB", help="What is held, as `monolayer held` shows it.")],
    budget: Annotated[
        float | None,
        typer.Option(metavar="MORE", help="Dollars that the job may cost in all from now on."),
    ] = None,
) -> None:
    """Let the work on a held model or job go on.

    Images that waited meanwhile are announced again within a minute or two. A job whose budget is spent needs a larger
    one.
    """
    from kiosk.client.options import checked_budget

    with opened(ctx) as monolayer:
        chosen = _chosen(name, monolayer.held())
        if budget is not None and chosen.kind == "model":
            raise CannotSend(f"{name} is a model, and only jobs have a budget.")
        monolayer.release(chosen, checked_budget(budget))
    screen.say(f"The {chosen.kind} {chosen.name} is released.")
    if chosen.kind == "model":
        screen.say(
            "Images that it failed on before are rejected; `monolayer replay JOB --reason model_error` sends them."
        )


def _begun(begun: "Replayed") -> str:
    goes = "image goes" if begun.images == 1 else "images go"
    told = f"{begun.images} {goes} through again." if begun.images else ""
    return " ".join(part for part in (told, begun.note) if part)


def _chosen(name: str, found: "Sequence[HeldView]") -> "HeldView":
    meant = [each for each in found if each.name == name]
    meant = meant or [each for each in found if each.kind == "job" and each.name.startswith(name)]
    if len(meant) == 1:
        return meant[0]
    there = ", ".join(f"{each.kind} {each.name}" for each in found)
    raise CannotSend(f"{name} is not held; {f'held: {there}' if there else 'nothing is'}.")


def _waited(monolayer: "Monolayer", job: str, quiet: bool) -> "JobView":
    try:
        with screen.watching(f"replay of {job}", quiet) as seen:
            ended = monolayer.wait(job, seen)
    except KeyboardInterrupt:
        screen.warn(f"\nThe work goes on without you.\n`monolayer show {job}` says how it stands.")
        raise typer.Exit(screen.INTERRUPTED) from None
    _tell(f"{ended.name}: {screen.counts(ended)}.", quiet)
    return ended


def _tell(text: str, quiet: bool) -> None:
    if not quiet:
        screen.say(text)
