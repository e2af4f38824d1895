"""`open`: the pages of what runs on this machine, in the browser where there is a display."""

import webbrowser
from enum import StrEnum
from typing import Annotated

import typer

from kiosk.commands import screen
from kiosk.commands.local import here
from kiosk.errors import MonolayerError, NotRunning


class What(StrEnum):
    """What can be opened."""

    PAGE = "page"
    DASHBOARDS = "dashboards"
    ALERTS = "alerts"
    TRACES = "traces"


_PLACES = {
    What.PAGE: ("api", "/"),
    What.DASHBOARDS: ("victoriametrics", "/vmui/#/dashboards"),
    What.ALERTS: ("victoriametrics", "/vmalert/alerts"),
    What.TRACES: ("jaeger", "/api/v3/services"),
}
"""Which part's address, and what is found there."""
_ABOUT_TRACES = (
    "That is Jaeger's API; its own page is not in this build. A trace is at {address}/api/v3/traces/TRACE_ID, and "
    "`monolayer rejected JOB` names the traces of rejected images."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="open")(open_page)


def open_page(what: Annotated[What, typer.Argument(help="What to look at.")] = What.PAGE) -> None:
    """Print an address of what runs on this machine, and open it.

    It is opened where there is a display. `page` is where images are dropped and jobs are watched; `dashboards`,
    `alerts` and `traces` are there when Monolayer was started with `monolayer up --observe`.
    """
    from kiosk.local.settings import has_display

    part, path = _PLACES[what]
    address = _addresses(what)[part]
    screen.say(f"{address}{path}")
    if what is What.TRACES:
        screen.warn(_ABOUT_TRACES.format(address=address))
    elif has_display():
        webbrowser.open(f"{address}{path}")


def _addresses(what: What) -> dict[str, str]:
    found = here().status()
    if not found["running"]:
        raise NotRunning("Monolayer is not running; start it with `monolayer up`.")
    addresses: dict[str, str] = found["addresses"]
    if _PLACES[what][0] not in addresses:
        raise MonolayerError(
            f"There are no {what}: Monolayer runs unobserved. Start it again: `monolayer down`, then `monolayer up "
            "--observe`."
        )
    return addresses
