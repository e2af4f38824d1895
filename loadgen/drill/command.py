"""The command `loadgen drill`."""

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from loadgen.drill.run import Alarm
    from loadgen.drill.scenes import Scene


def drill(
    alert: Annotated[list[str] | None, typer.Option(help="Only what this alert needs. May be repeated.")] = None,
    report: Annotated[Path | None, typer.Option(help="A folder for the logs and the state.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
) -> None:
    """Break a Monolayer of its own in one way after another, until each alert has fired once: half an hour.

    The rules are those of `observability/alerts`, judged by vmalert as in `monolayer up --observe`, with their own
    times. Exit code 0: every alert fired; 1: one was silent; 2: the drill could not be made.
    """
    from kiosk.errors import MonolayerError
    from kiosk.local.cache import LocalError
    from loadgen.drill.run import drill as run

    console, begun = Console(stderr=True), time.monotonic()
    scenes, folder = _needed(alert or []), report or Path(tempfile.mkdtemp(prefix="monolayer-drill-"))

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - begun:6.0f} s  {what}", markup=False, highlight=False)

    try:
        alarms = asyncio.run(_until_stopped(run(folder, scenes, tell), tell))
    except (OSError, LocalError, MonolayerError) as why:
        console.print(f"The drill could not be made: {why}", markup=False, style="red")
        raise typer.Exit(2) from None
    alarms = [alarm for alarm in alarms if not alert or alarm.alert in alert]
    silent = [alarm.alert for alarm in alarms if alarm.seconds is None]
    if report is None and not silent:
        shutil.rmtree(folder)
    console.print(_table(alarms))
    if as_json:
        seconds = {alarm.alert: alarm.seconds for alarm in alarms}
        print(json.dumps({"alerts": len(alarms), "silent": silent, "seconds": seconds}))
    raise typer.Exit(1 if silent else 0)


async def _until_stopped(
    drilling: "Coroutine[object, object, list[Alarm]]", tell: Callable[[str], None]
) -> "list[Alarm]":
    try:
        return await drilling
    except asyncio.CancelledError:  # Ctrl-C, and everything is stopped by now
        tell("stopped")
        os._exit(130)  # a thread that still waits for a server that is gone must not keep us


def _needed(alerts: list[str]) -> "list[Scene]":
    from loadgen.drill.scenes import SCENES

    known = {name for scene in SCENES for name in scene.alerts}
    if unknown := set(alerts) - known:
        raise typer.BadParameter(
            f"There is no alert {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}."
        )
    return [scene for scene in SCENES if not alerts or set(alerts) & set(scene.alerts)]


def _table(alarms: "list[Alarm]") -> Table:
    table = Table("alert", "fired after", "of")
    for alarm in alarms:
        after = "silent" if alarm.seconds is None else f"{alarm.seconds:.0f} s"
        table.add_row(alarm.alert, after, alarm.scene or "nothing: no scene is for it")
    return table
