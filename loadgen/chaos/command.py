"""The command `loadgen chaos`."""

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from loadgen.chaos.plan import Plan
    from loadgen.chaos.report import Injected, Report
    from loadgen.chaos.world import Kind

_EVERY = 10.0
_PER_MINUTE = 12
_FAULTS = "faults.jsonl"


class Lines:
    """Says how far a run is, a line every few seconds.

    Parameters
    ----------
    console
        Where to.
    faults
        A file that each fault is appended to as a line of JSON.
    """

    def __init__(self, console: Console, faults: Path) -> None:
        self._console, self._faults = console, faults
        self._begun, self._last, self._over = time.monotonic(), 0.0, 0

    def say(self, what: str) -> None:
        """Begin a new phase, or mention something."""
        self._console.print(f"{time.monotonic() - self._begun:6.0f} s  {what}", markup=False, highlight=False)

    def count(self, done: int, of: int) -> None:
        """So many images of the phase's job have ended."""
        if time.monotonic() - self._last > _EVERY:
            self._last = time.monotonic()
            self.say(f"{done:,} of {of:,} images, {self._over} faults")

    def fault(self, fault: "Injected") -> None:
        """A fault is over."""
        self._over += 1
        with self._faults.open("a") as file:
            file.write(json.dumps(asdict(fault)) + "\n")


def chaos(
    images: Annotated[int, typer.Option(min=1, help="Images of the load, small and synthetic.")] = 400,
    faults: Annotated[
        int | None, typer.Option(min=0, help="Faults in all; with --minutes twelve a minute, else one in ten images.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides images, faults and their order.")] = 1,
    minutes: Annotated[float, typer.Option(min=0, help="Submit the images again until so much time is over.")] = 0.0,
    image_size: Annotated[int, typer.Option(min=48, max=2048, help="Height and width of the images in px.")] = 64,
    distinct: Annotated[
        int, typer.Option(min=1, help="So many of the images differ; a larger load repeats them.")
    ] = 10_000,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes that segment images.")] = 2,
    only: Annotated[list[str] | None, typer.Option(help="Only these kinds or groups of faults.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="All but these kinds or groups of faults.")] = None,
    poison: Annotated[float, typer.Option(min=0, max=0.5, help="The share of images that are hostile.")] = 0.0,
    preempt_every: Annotated[float, typer.Option(min=0, help="SIGTERM to a worker every so many seconds.")] = 0.0,
    traces: Annotated[
        bool, typer.Option("--traces", help="Observe it as well, and check that every image has one complete trace.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="A folder for the report, the logs and the state.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Load a Monolayer of its own, break its parts on a seeded schedule, and prove that nothing was lost.

    Every distinct image runs undisturbed first, then the whole load under faults; labels have to be the same, byte for
    byte. Exit code 0: everything was kept; 1: something was not, and the state folder that shows it is kept; 2: the run
    could not be made.
    """
    from kiosk.local.cache import LocalError
    from loadgen.chaos.plan import Plan

    console = Console(stderr=True)
    count = faults if faults is not None else round(_PER_MINUTE * minutes) or images // 10
    plan = Plan(
        images=images,
        faults=count,
        seed=seed,
        kinds=_chosen(only, without),
        minutes=minutes,
        side=image_size,
        workers=workers,
        poison=poison,
        preempt_every=preempt_every,
        distinct=distinct,
        traces=traces,
    )
    folder = report or Path(tempfile.mkdtemp(prefix="monolayer-chaos-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        came = asyncio.run(_until_stopped(plan, folder, Lines(console, folder / _FAULTS), keep=report is not None))
    except (OSError, LocalError) as why:
        console.print(f"The run could not be made: {why}", markup=False, style="red")
        raise typer.Exit(2) from None
    write(came, folder)
    came.show(console)
    if came.clean and report is None:
        shutil.rmtree(folder)
    else:
        console.print(f"Report, logs and state: {folder}", markup=False)
    if as_json:
        print(json.dumps(came.summary))
    raise typer.Exit(0 if came.clean else 1)


async def _until_stopped(plan: "Plan", folder: Path, lines: Lines, keep: bool) -> "Report":
    from loadgen.chaos.run import run

    try:
        return await run(plan, folder, lines)
    except asyncio.CancelledError:  # Ctrl-C, and everything is stopped by now
        lines.say("stopped; nothing was checked")
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(130)  # a thread that still waits for a server that is gone must not keep us


def write(report: "Report", folder: Path) -> None:
    """Write a run's summary and its faults into a folder."""
    (folder / "summary.json").write_text(json.dumps(report.summary, indent=1))
    lines = [json.dumps(asdict(fault)) for fault in report.injected]
    (folder / _FAULTS).write_text("\n".join([*lines, ""]))


def _chosen(only: Sequence[str] | None, without: Sequence[str] | None) -> "list[Kind]":
    from loadgen.chaos.faults import KINDS

    known = {name for kind in KINDS for name in (kind.name, kind.group)}
    if unknown := {*(only or ()), *(without or ())} - known:
        raise typer.BadParameter(
            f"There is no fault {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}."
        )
    wanted = [kind for kind in KINDS if not only or {kind.name, kind.group} & set(only)]
    return [kind for kind in wanted if not {kind.name, kind.group} & set(without or ())]
