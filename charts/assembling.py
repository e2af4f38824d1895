"""Lays a chart together: what is written by hand, and what is made from the code (`files/`, the values' schema)."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

import observability
from charts.facts import facts, rules
from kiosk.api.settings import Settings as Api
from observability.dashboards import grafana
from observability.dashboards.collection import DASHBOARDS
from streams.settings import Settings as Streams

HERE = Path(__file__).parent
OBSERVABILITY = Path(observability.__file__).parent
SCHEMA = "values.schema.yaml"
SET = {
    *("kafka", "s3_endpoint", "s3_access_key", "s3_secret_key", "bucket", "triton"),
    *("heartbeat", "metrics", "memory_gb", "traces", "jaeger", "api", "page", "login", "slots"),
}
"""Settings that the templates give, or that have to be as they are: the rules know how many slots a worker has."""


def assemble(folder: Path) -> Path:
    """Make the chart `monolayer` below a folder; returns where it is. What was there before is replaced."""
    chart = folder / "monolayer"
    shutil.rmtree(chart, ignore_errors=True)
    shutil.copytree(HERE / "monolayer", chart)
    (chart / "values.schema.json").write_text(json.dumps(schema(), indent=1))
    (chart / SCHEMA).unlink()
    for place, text in made():
        (chart / "files" / place).parent.mkdir(parents=True, exist_ok=True)
        (chart / "files" / place).write_text(text)
    return chart


def collector() -> str:
    """The configuration of the OpenTelemetry Collector."""
    return (OBSERVABILITY / "collector.yaml").read_text()


def schema() -> dict[str, Any]:
    """What values may hold: the chains that there are, and the settings that processes read, filled in."""
    found: dict[str, Any] = yaml.safe_load((HERE / "monolayer" / SCHEMA).read_text())
    parts = found["properties"]
    parts["chains"]["properties"] = {chain["name"]: {"$ref": "#/$defs/chain"} for chain in facts()["chains"]}
    parts["settings"]["propertyNames"]["enum"] = sorted(settings())
    return found


def settings() -> set[str]:
    """Variables that a user of the chart may set: those of the processes, without those that the templates set."""
    return settings_read() - {_variable(field) for field in SET}


def settings_read() -> set[str]:
    """All variables that a process of ours reads."""
    return {_variable(field) for field in Streams.model_fields.keys() | Api.model_fields.keys()}


def _variable(field: str) -> str:
    return f"MONOLAYER_{field.upper()}"


def made() -> Iterator[tuple[str, str]]:
    """Each file that is made from the code, by its place below `files/`."""
    yield "facts.yaml", yaml.safe_dump(facts(), sort_keys=False)
    yield "rules.yaml", yaml.safe_dump(rules(), sort_keys=False, width=1000)
    yield "alerts.yaml", (OBSERVABILITY / "alerts" / "monolayer.yaml").read_text()
    yield "collector.yaml", collector()
    for dashboard in DASHBOARDS:
        yield f"dashboards/{dashboard.name}.json", grafana.render(dashboard)
