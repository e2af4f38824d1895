"""Turns what defines kinds of Kubernetes objects into JSON schemas for kubeconform, closed against unknown fields.

What only a server judges (rules in CEL, quotas, selectors that don't match) is not in them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Takes the bare `=` that the Prometheus operator's definitions hold for a text, as it is meant."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def write(definitions: str, folder: Path) -> None:
    """Write `GROUP/KIND_VERSION.json` for every version of each CustomResourceDefinition in a file."""
    for definition in yaml.load_all(definitions, Loader=_Loader):
        if not definition or definition.get("kind") != "CustomResourceDefinition":
            continue
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object"},
            }
            _write(folder / spec["group"] / f"{spec['names']['kind'].lower()}_{version['name']}.json", schema)


def write_core(package: Path, version: str, folder: Path) -> None:
    """Write the schemas of Kubernetes' own kinds from the wheel `kubernetes-validate`, made to refer to files here."""
    for source in (package / "kubernetes-json-schema" / f"v{version}-local-strict").glob("*.json"):
        _write(folder / source.name, _local(json.loads(source.read_text())))


def closed(node: Any) -> Any:
    """The schema, with unknown fields forbidden wherever fields are listed: a server would drop them in silence."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    kept = {key: _part(key, value) for key, value in node.items() if key != "description" and not key.startswith("x-")}
    if kept.pop("nullable", False) and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    if "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    return kept


def _part(key: str, value: Any) -> Any:
    if key == "properties":  # names, not a schema
        return {name: closed(schema) for name, schema in value.items()}
    return closed(value) if key in ("items", "additionalProperties") else value  # what is under anyOf stays open


def _local(node: Any) -> Any:
    """References to the file next door, and no `$id`, by which they would be looked for in the web."""
    if isinstance(node, list):
        return [_local(each) for each in node]
    if isinstance(node, Mapping):
        return {key: _local(value) for key, value in node.items() if key != "$id" or not isinstance(value, str)}
    return node.replace("/api/_definitions.json#", "_definitions.json#") if isinstance(node, str) else node


def _write(path: Path, schema: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))
