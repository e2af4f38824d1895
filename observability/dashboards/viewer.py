"""Dashboards for the page that VictoriaMetrics serves itself: a JSON file each, which draws lines and nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path

from observability.dashboards.panels import Dashboard, Panel, Query
from observability.dashboards.promql import WINDOW

LOOK_BACK = "1m"
"""Of rates: twelve scrapes on one machine. Fixed, as the viewer has no word for it that fits the time shown."""


def render(dashboard: Dashboard) -> str:
    """One dashboard as the viewer reads it, in a single row.

    Of several rows it shows the first alone, and a click on another's title does nothing (v1.148.8; one on its small
    arrow does).

    Parameters
    ----------
    dashboard
        Any.

    Returns
    -------
    str
        JSON. The viewer names its tabs by the title, and keeps the order of the files' names.
    """
    row = {"title": dashboard.title, "panels": [_panel(panel) for panel in dashboard.panels]}
    return json.dumps({"title": dashboard.title, "rows": [row]}, indent=1) + "\n"


def write(dashboards: Iterable[Dashboard], folder: Path) -> list[Path]:
    """Write them into a folder as ``1-pipeline.json`` and so on, in place of those that an earlier call wrote.

    Parameters
    ----------
    dashboards
        In the order in which they are to be shown.
    folder
        For VictoriaMetrics' `-vmui.customDashboardsPath`; other files in it stay.

    Returns
    -------
    list of Path
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob("[0-9]-*.json"):
        earlier.unlink()
    written = {folder / f"{number}-{each.name}.json": each for number, each in enumerate(dashboards, start=1)}
    for file, dashboard in written.items():
        file.write_text(render(dashboard))
    return list(written)


def asked(query: Query) -> str:
    """The query as it is sent to a server that does not know Grafana's word for how far to look back."""
    return query.promql.replace(WINDOW, LOOK_BACK)


def _panel(panel: Panel) -> dict[str, object]:
    return {
        "title": f"{panel.title}: {panel.question[0].lower()}{panel.question[1:]}",
        "description": panel.description,
        "unit": panel.unit.viewer,
        "expr": [asked(query) for query in panel.queries],
        "alias": [query.legend for query in panel.queries],
        "width": panel.width,
    }
