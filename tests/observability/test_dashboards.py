"""Dashboards: each panel answers a question, each query asks for what is told, and both who draw them can read them."""

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from observability.dashboards import grafana, viewer
from observability.dashboards.collection import DASHBOARDS
from observability.dashboards.panels import Dashboard, Panel, Query, Row, Unit
from observability.dashboards.promql import WINDOW, mean, quantile, rate
from observability.instruments import Entry
from observability.metrics import BOOK
from tests.observability.promql import misused_in, names_in, unknown_in

PANELS = [(dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard.panels]
QUERIES = [(panel, query) for _, panel in PANELS for query in panel.queries]
ALL = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
EACH_PANEL = pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=lambda panel: panel.title)
EACH_QUERY = pytest.mark.parametrize(("panel", "query"), QUERIES, ids=[query.promql for _, query in QUERIES])
UNDRAWN = {"monolayer_build_info"}
"""What no panel shows: the version is no line."""


@EACH_PANEL
def test_a_panel_answers_a_question_that_stands_in_its_description(panel: Panel) -> None:
    assert panel.question.endswith("?")
    assert panel.description.startswith(panel.question)
    assert panel.description.endswith(("?", "."))
    assert panel.queries


@EACH_QUERY
def test_a_query_asks_for_what_is_told(panel: Panel, query: Query) -> None:
    assert names_in(query.promql)
    assert not unknown_in(query.promql)


@EACH_QUERY
def test_counters_are_drawn_as_rates_and_buckets_as_quantiles(panel: Panel, query: Query) -> None:
    assert not misused_in(query.promql)


@EACH_QUERY
def test_a_legend_names_labels_that_the_answer_has(panel: Panel, query: Query) -> None:
    kept = {label for labels in re.findall(r"by \(([^)]*)\)", query.promql) for label in labels.split(", ")} - {"le"}
    assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= kept
    assert query.legend


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool judges the queries: install prometheus (Debian, Ubuntu)")
    rules = [{"record": f"query:{number}", "expr": viewer.asked(query)} for number, (_, query) in enumerate(QUERIES)]
    file = tmp_path / "queries.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and f"{len(QUERIES)} rules found" in done.stdout, done.stdout + done.stderr


def test_what_a_query_can_get_wrong_is_noticed() -> None:
    assert misused_in("sum(monolayer_retries_total)") == {"monolayer_retries_total"}
    assert misused_in("rate(monolayer_lag_events[1m])") == {"monolayer_lag_events"}
    assert misused_in("rate(monolayer_event_seconds_bucket[1m])") == {"monolayer_event_seconds_bucket"}
    without_le = "histogram_quantile(0.5, sum by (stage) (rate(monolayer_event_seconds_bucket[1m])))"
    assert misused_in(without_le) == {"monolayer_event_seconds_bucket"}
    assert misused_in(quantile(0.5, "monolayer_event_seconds", "stage", where='lane="bulk"')) == set()
    assert misused_in(mean("nv_inference_count", "nv_inference_exec_count")) == set()
    assert misused_in("rate(nv_gpu_utilization[1m])") == {"nv_gpu_utilization"}


@pytest.mark.parametrize("entry", BOOK.entries.values(), ids=lambda entry: entry.name)
def test_every_metric_is_drawn_somewhere(entry: Entry) -> None:
    drawn = {name for _, query in QUERIES for name in names_in(query.promql)}
    assert entry.name in UNDRAWN or any(name.startswith(entry.name) for name in drawn)


def test_names_and_titles_tell_dashboards_apart() -> None:
    assert (
        len({dashboard.name for dashboard in DASHBOARDS}) == len({each.title for each in DASHBOARDS}) == len(DASHBOARDS)
    )


@ALL
def test_rows_fill_the_page_and_no_more(dashboard: Dashboard) -> None:
    for row in dashboard.rows:
        assert sum(panel.width for panel in row.panels) % 12 == 0, row.title


@ALL
def test_grafana_gets_panels_with_numbers_of_their_own_that_do_not_overlap(dashboard: Dashboard) -> None:
    drawn = json.loads(grafana.render(dashboard))["panels"]
    assert len({each["id"] for each in drawn}) == len(drawn) == len(dashboard.rows) + len([*dashboard.panels])
    for one, other in combinations(drawn, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])
    assert all(each["gridPos"]["x"] + each["gridPos"]["w"] <= 24 for each in drawn)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[place] < other[place] + other[size] and other[place] < one[place] + one[size]
        for place, size in (("x", "w"), ("y", "h"))
    )


@ALL
def test_grafana_gets_questions_legends_and_a_choice_of_where_the_data_is(dashboard: Dashboard) -> None:
    page = json.loads(grafana.render(dashboard))
    [variable] = page["templating"]["list"]
    source = {"type": variable["query"], "uid": f"${{{variable['name']}}}"}
    drawn = [each for each in page["panels"] if each["type"] != "row"]
    for panel, each in zip(dashboard.panels, drawn, strict=True):
        assert (each["title"], each["description"], each["datasource"]) == (panel.title, panel.description, source)
        assert each["options"]["legend"]["showLegend"]
        asked = [(target["expr"], target["legendFormat"], target["datasource"]) for target in each["targets"]]
        assert asked == [(query.promql, query.legend, source) for query in panel.queries]
        assert len({target["refId"] for target in each["targets"]}) == len(panel.queries)


@ALL
def test_the_viewer_gets_the_same_questions_and_a_time_to_look_back(dashboard: Dashboard) -> None:
    page = json.loads(viewer.render(dashboard))
    [row] = page["rows"]  # of several it shows only the first
    assert page["title"] == row["title"] == dashboard.title
    for panel, each in zip(dashboard.panels, row["panels"], strict=True):
        assert each["title"] == f"{panel.title}: {panel.question[0].lower()}{panel.question[1:]}"
        assert (each["description"], each["width"]) == (panel.description, panel.width)
        assert each["expr"] == [query.promql.replace("$__rate_interval", "1m") for query in panel.queries]
        assert each["alias"] == [query.legend for query in panel.queries]


def test_the_viewer_s_files_keep_their_order_and_no_earlier_ones(tmp_path: Path) -> None:
    def page(name: str) -> Dashboard:
        query = Query(rate("monolayer_retries_total"), "all")
        return Dashboard(name, name, (Row("r", (Panel("p", "Is it?", (query,), Unit.PER_SECOND),)),))

    (tmp_path / "mine.json").write_text("{}")
    viewer.write([page("b"), page("a"), page("c")], tmp_path)
    viewer.write([page("c"), page("a")], tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1-c.json", "2-a.json", "mine.json"]
    assert WINDOW not in (tmp_path / "1-c.json").read_text()


def test_the_command_writes_both_kinds_and_says_what_they_are_for(tmp_path: Path) -> None:
    said = _command(tmp_path)
    assert {Path(line) for line in said.splitlines()} == set(tmp_path.rglob("*.json"))
    written = {file.relative_to(tmp_path).parts[0]: _read(file) for file in tmp_path.rglob("*.json")}
    assert written.keys() == {"grafana", "viewer"}
    assert "customDashboardsPath" in (told := _command("--help")) and "Grafana" in told


def _command(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "observability.dashboards", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _read(file: Path) -> Any:
    return json.loads(file.read_text())
