"""The charts without Helm: what is made from the code, and what the schemas of kinds refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import observability
from charts import crds
from charts.__main__ import main
from charts.assembling import HERE, SET, assemble, schema, settings, settings_read
from charts.facts import SPOT_SECONDS, facts
from observability.dashboards.collection import DASHBOARDS
from streams.stages import CHAINS
from streams.topics import GROUPS, TOPICS


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("charts"))


def values() -> Any:
    return yaml.safe_load((HERE / "monolayer" / "values.yaml").read_text())


def test_what_the_code_says_is_in_the_chart_and_stands_in_no_second_place(chart: Path) -> None:
    home = Path(observability.__file__).parent
    assert (chart / "files/alerts.yaml").read_bytes() == (home / "alerts/monolayer.yaml").read_bytes()
    assert (chart / "files/collector.yaml").read_bytes() == (home / "collector.yaml").read_bytes()
    assert {path.stem for path in (chart / "files/dashboards").glob("*.json")} == {each.name for each in DASHBOARDS}
    assert not (HERE / "monolayer" / "files").exists()


def test_the_templates_are_told_of_every_chain_topic_and_group() -> None:
    told = facts()
    assert [each["chain"] for each in told["chains"]] == list(CHAINS)
    read = {one["group"]: one["topic"] for each in told["chains"] for one in each["reads"]}
    assert read == GROUPS
    assert {each["name"] for each in told["topics"]} == {topic.name for topic in TOPICS}
    assert all(seconds <= SPOT_SECONDS for seconds in told["seconds"].values())


def test_the_values_have_every_chain_and_no_other() -> None:
    assert values()["chains"].keys() == {each["name"] for each in facts()["chains"]}
    assert schema()["properties"]["chains"]["properties"].keys() == values()["chains"].keys()


def test_an_owner_of_jobs_is_always_there_since_it_looks_after_those_that_stand_still() -> None:
    for each in facts()["chains"]:
        assert values()["chains"][each["name"]]["min"] == (1 if each["ownsJobs"] else 0)


def test_the_templates_name_no_number_or_topic_of_the_code_themselves() -> None:
    names = {topic.name for topic in TOPICS} - {"uploads", "rejected"}
    for path in (HERE / "monolayer" / "templates").rglob("*.yaml"):
        text = path.read_text()
        assert not [name for name in names if f'"{name}"' in text or f"topic: {name}" in text], path
        assert "monolayer:" not in text, path


def _closed(node: Any, place: str = "") -> list[str]:
    """Objects whose fields are listed, and which take others as well."""
    found = []
    if isinstance(node, dict):
        if "properties" in node and node.get("additionalProperties") is not False and place:
            found.append(place)
        for key, value in node.items():
            found += _closed(value, f"{place}/{key}")
    return found


def test_the_schema_knows_every_value_and_refuses_all_others() -> None:
    found = schema()
    assert not _closed(found)
    assert found["additionalProperties"] is False
    assert found["properties"].keys() - {"global"} == values().keys()
    for part, value in values().items():
        if isinstance(value, dict) and "properties" in (of := found["properties"][part]):
            assert value.keys() == of["properties"].keys(), part


def test_settings_are_those_that_the_processes_read_without_those_that_the_templates_give() -> None:
    assert "MONOLAYER_RESULTS_DAYS" in settings()
    assert "MONOLAYER_KAFKA" not in settings()
    assert settings() < settings_read()
    assert {f"MONOLAYER_{name.upper()}" for name in SET} <= settings_read()


def test_assembling_needs_neither_helm_nor_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path), "--only-assemble"])
    assert "monolayer" in capsys.readouterr().out
    assert json.loads((tmp_path / "monolayer/values.schema.json").read_text())["type"] == "object"


DEFINITION = """
kind: CustomResourceDefinition
spec:
  group: example.org
  names: { kind: Thing }
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          description: left out
          properties:
            spec:
              type: object
              properties:
                count: { x-kubernetes-int-or-string: true }
                free: { type: object, x-kubernetes-preserve-unknown-fields: true, properties: { a: { type: string } } }
                sign: { type: string, enum: [=, "!="], nullable: true }
"""


def test_a_definition_becomes_a_schema_that_refuses_unknown_fields(tmp_path: Path) -> None:
    crds.write(DEFINITION, tmp_path)
    written = json.loads((tmp_path / "example.org/thing_v1.json").read_text())
    spec = written["properties"]["spec"]
    assert spec["additionalProperties"] is False
    assert spec["properties"]["count"] == {"type": ["integer", "string"]}
    assert "additionalProperties" not in spec["properties"]["free"]
    assert spec["properties"]["sign"] == {"type": ["string", "null"], "enum": ["=", "!="]}
    assert "description" not in written
