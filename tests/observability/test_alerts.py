"""Alerts: each has its heading in the runbook, asks for metrics that exist, and fires when it should, and else not."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import observability
from tests.observability.promql import unknown_in

HOME = Path(observability.__file__).parent
RULES = HOME / "alerts" / "monolayer.yaml"
RULE_TESTS = HOME / "alerts" / "monolayer_test.yaml"
RUNBOOK = HOME / "runbook.md"
PARTS = ("**You see:**", "**It means:**", "**Do:**")
SECONDS = 120.0


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def chapters() -> dict[str, str]:
    """The runbook by heading."""
    _, *chapters = re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)
    return {head: text for head, _, text in (chapter.partition("\n") for chapter in chapters)}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_it_is_about_and_where_to_read_on(alert: dict[str, Any]) -> None:
    said = alert["annotations"]
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert said.keys() == {"summary", "description", "runbook"}
    assert said["runbook"] == f"runbook.md#{alert['alert'].lower()}"
    assert said["description"].endswith(".")


def test_every_alert_has_its_chapter_in_the_runbook_and_every_chapter_its_alert() -> None:
    assert list(chapters()) == [alert["alert"] for alert in alerts()]
    for alert in alerts():
        text = chapters()[alert["alert"]]
        assert all(part in text for part in PARTS), alert["alert"]
        assert f"`{alert['labels']['severity']}`" in text


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_is_told(alert: dict[str, Any]) -> None:
    assert not unknown_in(alert["expr"])


def test_every_alert_has_a_test_that_sees_it_fire() -> None:
    tests = RULE_TESTS.read_text()
    for alert in alerts():
        assert f'alertname="{alert["alert"]}", alertstate="firing", severity="{alert["labels"]["severity"]}"' in tests


def test_alerts_fire_when_they_should_and_else_not() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool judges the rules: install prometheus (Debian, Ubuntu)")
    ran = subprocess.run(
        [promtool, "test", "rules", str(RULE_TESTS)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_query_that_asks_for_what_nobody_tells_is_noticed() -> None:
    assert unknown_in("sum by (stage) (rate(monolayer_phase_seconds_bucket{phase='wait'}[5m]))") == set()
    assert unknown_in("monolayer_lag_event") == {"monolayer_lag_event"}
    assert unknown_in('monolayer_lag_events{model="a"}') == {"monolayer_lag_events{model}"}
    assert unknown_in("sum by (model) (monolayer_lag_events)") == {"by model"}
    assert unknown_in("max(monolayer_lag_events_bucket)") == {"monolayer_lag_events_bucket"}
