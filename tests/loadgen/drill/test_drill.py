"""A drill has a scene for every alert, and says which of them stayed silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from kiosk.local.alerts import Alert
from kiosk.local.vmalert import RULES
from loadgen.drill import run
from loadgen.drill.run import Alarm, play
from loadgen.drill.scenes import SCENES, Scene

FOREVER = 1.0
AT_ONCE = 0.0


def site(ready: list[str]) -> Any:
    """A site of which only the way to its alerts is real."""

    async def is_ready() -> None:
        ready.append("ready")

    return SimpleNamespace(stack=SimpleNamespace(address=lambda part: part, ready=is_ready))


def scene(done: list[str], *alerts: str, minutes: float) -> Scene:
    @asynccontextmanager
    async def broken(_: object) -> AsyncIterator[None]:
        done.append("broken")
        yield
        done.append("mended")

    return Scene("all is broken", alerts, broken, minutes)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str] | None]:
    """What fires at each look, in turn; none where nobody can tell."""
    looks: list[list[str] | None] = []

    def firing(_: str) -> list[Alert] | None:
        names = looks.pop(0)
        return None if names is None else [Alert(name, "page", f"{name}!", 0.0) for name in names]

    monkeypatch.setattr(run, "firing", firing)
    monkeypatch.setattr(run, "LOOK_SECONDS", 0.0)
    return looks


def test_every_rule_has_one_scene_in_which_it_fires() -> None:
    rules = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert sorted(alert for scene in SCENES for alert in scene.alerts) == sorted(rules)


def test_a_scene_lasts_until_its_alerts_have_fired_and_is_mended_then(told: list[list[str] | None]) -> None:
    done: list[str] = []
    told += [["Other"], None, ["One"], ["Two"]]
    alarms = asyncio.run(play(scene(done, "One", "Two", minutes=FOREVER), site(done), done.append))
    assert [(alarm.alert, alarm.seconds is not None) for alarm in alarms] == [("One", True), ("Two", True)]
    assert done == ["all is broken", "broken", "One fires", "Two fires", "mended", "ready"]


def test_an_alert_that_does_not_fire_in_time_is_silent(told: list[list[str] | None]) -> None:
    alarms = asyncio.run(play(scene([], "One", minutes=AT_ONCE), site([]), print))
    assert alarms == [Alarm("One", "all is broken", None)]
