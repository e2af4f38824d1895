"""Dashboards for Grafana, as the JSON files that it imports or is provisioned with."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, DataSourceRef

from observability.dashboards.panels import Dashboard, Kind, Panel, Query

TAG = "monolayer"
_SOURCE = "datasource"
_PROMETHEUS = DataSourceRef("prometheus", f"${{{_SOURCE}}}")
"""Whoever looks chooses which, at the top of the page."""
_GRID = 24
"""Grafana's columns; ours are twelve."""
_HEIGHT = 8
_FILLED = 30.0
"""Per cent of opacity under stacked lines."""


def render(dashboard: Dashboard) -> str:
    """One dashboard as Grafana imports it.

    Parameters
    ----------
    dashboard
        Any.

    Returns
    -------
    str
        JSON, the same each time.
    """
    return JSONEncoder(sort_keys=True, indent=1).encode(_page(dashboard).build()) + "\n"


def write(dashboards: Iterable[Dashboard], folder: Path) -> list[Path]:
    """Write them into a folder, a file each, named after the dashboard.

    Parameters
    ----------
    dashboards
        Any.
    folder
        Made where it isn't there.

    Returns
    -------
    list of Path
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {folder / f"{dashboard.name}.json": dashboard for dashboard in dashboards}
    for file, dashboard in written.items():
        file.write_text(render(dashboard))
    return list(written)


def _page(dashboard: Dashboard) -> builders.Dashboard:
    page, ids = _empty(dashboard), count(1)
    for row in dashboard.rows:
        page.with_row(builders.Row(row.title).id(next(ids)))
        for panel in row.panels:
            page.with_panel(_panel(panel, next(ids)))
    return page


def _empty(dashboard: Dashboard) -> builders.Dashboard:
    others = builders.DashboardLink("Monolayer").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
    return (
        builders.Dashboard(f"Monolayer: {dashboard.title}")
        .uid(f"{TAG}-{dashboard.name}")
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others.keep_time(True).include_vars(True))
        .with_variable(builders.DatasourceVariable(_SOURCE).label("Data").type("prometheus"))
    )


def _panel(panel: Panel, number: int) -> timeseries.Panel:
    drawn = (
        timeseries.Panel()
        .id(number)
        .title(panel.title)
        .description(panel.description)
        .datasource(_PROMETHEUS)
        .unit(panel.unit.grafana)
        .min(0)
        .span(panel.width * _GRID // 12)
        .height(_HEIGHT)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .targets([*_targets(panel.queries)])
    )
    return _stacked(drawn) if panel.kind is Kind.STACKED else drawn


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )


def _stacked(drawn: timeseries.Panel) -> timeseries.Panel:
    return drawn.fill_opacity(_FILLED).stacking(common.StackingConfig().mode(StackingMode.NORMAL))


def _targets(queries: Iterable[Query]) -> Iterator[Dataquery]:
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        yield Dataquery().ref_id(letter).expr(query.promql).legend_format(query.legend).range().datasource(_PROMETHEUS)
