"""Commands for everything on this machine: `up`, `down`, `status`, `logs`, `env`."""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.commands import screen
from kiosk.commands.jobs import Json
from kiosk.errors import MonolayerError

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk.local.alerts import Alert
    from kiosk.local.stack import Local

_WIDTH = 16
_HERE = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status, logs, env):
        app.command()(command)


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return as soon as everything works, and leave it running.")
    ] = False,
    observe: Annotated[
        bool,
        typer.Option("--observe", help="Start VictoriaMetrics and Jaeger too: metrics, dashboards, alerts and traces."),
    ] = False,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Listen on this address of the machine, for others; asks for tokens."),
    ] = _HERE,
) -> None:
    """Start everything on this machine.

    That is Kafka, the S3 server, Triton, the stages, the inbox and the API. With --observe everything reports to
    VictoriaMetrics and Jaeger as well; `monolayer open` shows where. The first time these two are built, which takes
    another ten minutes or so; what is done by then is kept when you stop it.

    The first time, what is needed is downloaded and built into the cache (MONOLAYER_CACHE, usually
    ~/.cache/monolayer), which takes some minutes and a network; later starts take seconds. Images, results and logs
    are kept in the state folder (MONOLAYER_STATE, usually ~/.local/state/monolayer), also over a power cut.

    With --host others can reach the API, and the S3 server, which takes uploads that the API has signed. Whoever asks
    needs a token then (`monolayer tokens create`). Nothing is encrypted on the way: put a proxy with a certificate
    before it where the network is not your own.

    Without --detach it stays, shows what happens, and Ctrl-C stops everything.
    """
    from kiosk.local import page, show
    from kiosk.local.settings import check_host, check_prices

    local = here(observe, host)
    before = local.status()
    if before["running"]:
        _say_running(before, observe, host)
        return
    check_prices()
    check_host(host)
    with show.parts() as parts:
        local.install(parts.tell)
        no_page = page.offer(local.cache, partial(parts.tell, "page"))
    if no_page:
        screen.warn(no_page)
    local.start(bound=not detach)
    try:
        with show.parts() as parts:
            local.wait(look=parts.look)
        _say_addresses(local.status())
        if host != _HERE:
            screen.say("Whoever asks from elsewhere, or from here, needs a token: `monolayer tokens create NAME`.")
        if not detach:
            screen.warn("Ctrl-C stops everything.")
            _stay(local)
    except KeyboardInterrupt:
        _stop(local)
        raise typer.Exit(0) from None
    except MonolayerError:
        _stop(local)
        raise


def down() -> None:
    """Stop everything on this machine; results stay.

    Images and logs too. Stages finish what they are at if that takes less than ten seconds; what they leave is done
    after the next start.
    """
    _stop(here())


def status(as_json: Json = False) -> None:
    """Show what runs on this machine, the last error of each process, and the alerts that fire if it is observed."""
    found = here().status()
    alerts = _firing(found)
    if as_json:
        screen.say(json.dumps(found | {"alerts": None if alerts is None else [alert.json() for alert in alerts]}))
    elif not found["running"]:
        screen.say("Monolayer is not running; start it with `monolayer up`.")
    else:
        screen.table(
            ("process", "state", "since", "restarts", "memory", "last error"),
            [_row(process) for process in found["processes"]],
        )
        _say_alerts(found, alerts)
        _say_addresses(found)


def logs(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A process, as `monolayer status` shows it, or supervisor; else all."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines as they come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="N", min=0, help="How many lines of each log.")] = 20,
    job: Annotated[str | None, typer.Option(help="Only lines about this job.")] = None,
) -> None:
    """Show the logs of what runs on this machine: JSON lines, made readable where they go to a terminal."""
    from kiosk.local.logs import follow as new_lines
    from kiosk.local.logs import last_lines, log_files
    from observability.logs import is_about

    folder = here().state.folder / "logs"
    paths = log_files(folder, name)
    if not paths:
        there = ", ".join(path.stem for path in log_files(folder, None)) or "none yet"
        raise MonolayerError(f"There is no log{f' of {name!r}' if name else ''} in {folder}; there is: {there}.")
    show = _line_shower(len(paths) > 1)
    for path in paths:
        known = last_lines(path, lines) if job is None else _about(job, path)[-lines:]
        for line in known:
            show(path.stem, line)
    try:
        for stem, line in new_lines(paths) if follow else ():
            if job is None or is_about(line, job):
                show(stem, line)
    except KeyboardInterrupt:
        return


def _about(job: str, path: "Path") -> list[str]:
    from kiosk.local.logs import last_lines
    from observability.logs import is_about

    return [line for line in last_lines(path, sys.maxsize, sys.maxsize) if is_about(line, job)]


def _line_shower(named: bool) -> Callable[[str, str], None]:
    from observability.logs import readable

    on_terminal = sys.stdout.isatty()

    def show(stem: str, line: str) -> None:
        text = readable(line) if on_terminal else line
        screen.say(f"{stem}: {text}" if named else text)

    return show


def env(as_json: Json = False) -> None:
    """Print addresses and keys as shell variables.

    They are those of this machine's servers, for other programs. For this shell: eval "$(monolayer env)". AWS_
    variables are there too, so that other S3 clients work as they are.
    """
    screen.variables(here().environment(), as_json)


def here(observe: bool = False, host: str = _HERE) -> "Local":
    """What runs on this machine, or would, with what watches it or without; raises `MonolayerError`."""
    try:
        from kiosk.local.stack import Local
    except ModuleNotFoundError as error:
        raise MonolayerError(
            f"This is Monolayer's client alone ({error.name} is not installed). To run everything on this machine, "
            "install it with the servers: pip install '.[server]' in Monolayer's folder"
        ) from error
    return Local.usual(observe, host)


def _stay(local: "Local") -> None:
    """Show changes until everything is stopped from elsewhere."""
    known = {process["name"]: process["restarts"] for process in local.status()["processes"]}
    while (found := local.status())["running"]:
        for process in found["processes"]:
            if process["restarts"] != known.get(process["name"]):
                known[process["name"]] = process["restarts"]
                screen.warn(f"{process['name']} is started again: {process['error']}")
        time.sleep(0.5)
    screen.say("Monolayer was stopped.")


def _stop(local: "Local") -> None:
    if local.status()["running"]:
        screen.warn("Stopping.")
    stopped = local.stop()
    screen.say(f"Stopped: {', '.join(stopped)}. Nothing is left running." if stopped else "Nothing was running.")


def _firing(found: dict[str, Any]) -> "list[Alert] | None":
    if not found["observed"] or "vmalert" not in found["addresses"]:
        return None
    from kiosk.local.alerts import firing

    return firing(found["addresses"]["vmalert"])


def _say_alerts(found: dict[str, Any], alerts: "list[Alert] | None") -> None:
    if alerts is None and found["observed"]:
        screen.say("Which alerts fire can't be told: vmalert does not answer.")
    for alert in alerts or ():
        lasted = screen.clock(max(0.0, time.time() - alert.since))
        screen.say(f"{alert.severity}: {alert.summary}, for {lasted}; {alert.name} in observability/runbook.md")


def _say_running(found: dict[str, Any], observe: bool, host: str) -> None:
    if observe and not found["observed"]:
        raise MonolayerError(
            "Monolayer is already running, unobserved. To observe it, start it again: `monolayer down`, then "
            "`monolayer up --observe`; what it is at goes on where it was."
        )
    if host != _HERE and f"//{host}:" not in found["addresses"].get("api", ""):
        raise MonolayerError(
            f"Monolayer is already running, not on {host}. To let others in, start it again: `monolayer down`, then "
            f"`monolayer up --host {host}`; what it is at goes on where it was."
        )
    screen.say("Monolayer is already running.")
    _say_addresses(found)


def _say_addresses(found: dict[str, Any]) -> None:
    for part, address in found["addresses"].items():
        screen.say(f"{part:<{_WIDTH}} {address}")
    screen.say(f"{'state folder':<{_WIDTH}} {found['state_folder']}")


def _row(process: dict[str, Any]) -> tuple[str, ...]:
    since = screen.clock(max(0.0, time.time() - process["since"]))
    memory = f"{process['rss_mb']} MB"
    return process["name"], process["state"], since, str(process["restarts"]), memory, process["error"] or ""
