"""The alert rules, judged by vmalert on what the whole system tells; `loadgen drill` makes each of them fire."""

from typing import Any

import httpx
import pytest
import yaml

from kiosk.local.vmalert import RULES
from tests.e2e.system import System, until

pytestmark = [pytest.mark.e2e, pytest.mark.observe]


def judged(system: System) -> list[dict[str, Any]]:
    address = system.status()["addresses"]["vmalert"]
    told = httpx.get(f"{address}/api/v1/rules").raise_for_status().json()
    return [rule for group in told["data"]["groups"] for rule in group["rules"]]


def test_every_rule_is_judged_without_an_error_and_status_says_what_fires(system: System) -> None:
    until(lambda: all(rule["lastEvaluation"] > "2000" for rule in judged(system)))
    rules = judged(system)
    assert {rule["name"] for rule in rules} == {
        rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    }
    assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []
    assert isinstance(system.status()["alerts"], list)
