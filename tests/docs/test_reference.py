"""The reference is whole: whatever the code has stands on its page."""

import re

import pytest
import yaml

from docs.reference import events, layout
from docs.reference.docstrings import ROOT
from docs.reference.pages import generated
from kiosk.client import AsyncJob, AsyncKiosk, Image, Job, Kiosk, Monolayer
from observability import metrics
from storage import keys
from streams.topics import TOPICS
from tests.docs.written import pages

TOLD = generated()


def test_every_command_is_told_with_its_options() -> None:
    page = TOLD["reference/commands.md"]
    for command in ("submit", "replay", "up", "logs"):
        assert f"### monolayer {command}\n" in page
    assert "### monolayer tokens create\n" in page
    for option in (
        "--pixel-size UM",
        "--format FORMAT",
        "--deadline TIME",
        "--observe",
        "--checksums / --no-checksums",
        "--poison",
    ):
        assert f"`{option}" in page
    assert "### loadgen verify\n" in page


def test_every_route_and_every_body_of_the_api_is_told() -> None:
    page = TOLD["reference/http-api.md"]
    for route in ("POST /api/v1/uploads", "GET /api/v1/jobs/{job}/results", "GET /api/v1/jobs/{job}/progress"):
        assert f"### {route}\n" in page
    assert "| `at_completion` | number or none | required | If the rest costs as much" in page
    assert "Answers `200`: events whose data is [JobView](#jobview), as `text/event-stream`." in page
    assert "ValidationError" not in page
    assert ": anything" not in page


def test_every_method_of_the_clients_is_told() -> None:
    page = TOLD["reference/python-client.md"]
    for each in (Kiosk, Job, Image, AsyncKiosk, AsyncJob, Monolayer):
        methods = [name for name, found in vars(each).items() if not name.startswith("_") and callable(found)]
        methods += [name for name, found in vars(each).items() if isinstance(found, property)]
        assert methods
        assert [name for name in methods if f"### {each.__name__}.{name}\n" not in page] == []
    assert "| `diameter` | `float \\| None` | Typical diameter of the objects in pixels" in page


def test_every_event_and_every_topic_is_told() -> None:
    page = TOLD["reference/events.md"]
    assert [event.__name__ for event in events.READERS if f"\n## {event.__name__}\n" not in page] == []
    addresses = {f"{topic.name.split('.')[0]}.LANE" if "." in topic.name else topic.name for topic in TOPICS}
    assert [address for address in addresses if f"\n| `{address}` | [" not in page] == []


KEYS = {
    "upload": keys.upload("4f1c", "plate.zip"),
    "job": keys.job("ab12"),
    "open_job": keys.open_job("ab12"),
    "manifest_shard": keys.manifest_shard("ab12", 3),
    "manifest_index": keys.manifest_index("ab12"),
    "labels": keys.labels("ab12", 12345),
    "rejection": keys.rejection("ab12", 12345, 2),
    "done": keys.done("ab12"),
    "round_": keys.round_("ab12", 1, "0f"),
    "cancelled": keys.cancelled("ab12"),
    "budget": keys.budget("ab12"),
    "deleted": keys.deleted("ab12"),
    "tally": keys.tally("ab12", "7", 1),
    "quarantine": keys.quarantine("uploads", 0, 17),
    "alone": keys.alone("images.bulk", 3, 17),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_key_is_one_of_the_layout(key: str) -> None:
    shapes = [re.sub(r"<\w+>", "[^/]+", re.escape(shape)) for shape, _ in layout.entries()]
    assert [shape for shape in shapes if re.fullmatch(shape, key)] != []


def test_every_record_of_the_layout_is_told() -> None:
    page = TOLD["reference/objects.md"]
    assert set(layout.RECORDS) <= {key for key, _ in layout.entries()} | {"held/job/<job>"}
    assert [model.__name__ for model in layout.RECORDS.values() if f"### {model.__name__}\n" not in page] == []


def test_every_alert_is_told_and_what_to_do_about_it() -> None:
    rules = yaml.safe_load((ROOT / "observability/alerts/monolayer.yaml").read_text())
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    page = TOLD["reference/alerts.md"]
    assert len(alerts) > 10
    assert [alert for alert in alerts if f"| [{alert}](" not in page or f"\n## {alert}\n" not in page] == []
    assert "{{" not in page


def test_every_metric_is_told() -> None:
    assert [name for name in metrics.BOOK.entries if f"`{name}`" not in TOLD["reference/metrics.md"]] == []


def test_every_variable_that_a_page_names_is_told() -> None:
    named = {name for page in pages() for name in re.findall(r"MONOLAYER_[A-Z_0-9]+", page.read_text())}
    assert [name for name in sorted(named) if f"`{name}`" not in TOLD["reference/variables.md"]] == []
    assert "| `MONOLAYER_SLOTS` | `6` | Events in flight at once" in TOLD["reference/variables.md"]


def test_no_page_is_made_of_code_that_has_nothing_to_say() -> None:
    short = {place: len(text) for place, text in TOLD.items() if len(text) < 2000}
    assert not short
