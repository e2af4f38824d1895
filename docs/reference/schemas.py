"""JSON schemas in words: what kind of thing a field is."""

from collections.abc import Mapping
from typing import Any

from docs.markdown import code, table

Schema = Mapping[str, Any]
_BOUNDS = {
    "minimum": "from {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "less than {}",
    "maxLength": "at most {} characters",
    "maxItems": "at most {}",
}


def kind(schema: Schema) -> str:
    """A schema in a few words; what it refers to is a link on the same page."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(kind(each) for each in choices)
    if "enum" in schema:
        return ", ".join(code(each) for each in schema["enum"])
    if "const" in schema:
        return code(schema["const"])
    return ", ".join([_plain(schema), *_bounds(schema)])


def content(schema: Schema, meanings: Mapping[str, str]) -> str:
    """What a named schema holds: its fields, or what it is where it has none."""
    return fields(schema, meanings) if "properties" in schema else f"Is {kind(schema)}."


def fields(schema: Schema, meanings: Mapping[str, str]) -> str:
    """The fields of an object as a table."""
    required = schema.get("required", ())
    rows = [
        (
            code(name),
            kind(each),
            _default(each, name in required),
            meanings.get(name, "") or each.get("description", ""),
        )
        for name, each in schema.get("properties", {}).items()
    ]
    return table(("field", "kind", "default", "meaning"), rows)


def _plain(schema: Schema) -> str:
    match schema.get("type"):
        case "null":
            return "none"
        case "array" if items := schema.get("items"):
            return f"list of {kind(items)}"
        case "array":
            return f"list of {', '.join(kind(each) for each in schema.get('prefixItems', ()))}"
        case "object":
            return "object"
        case other:
            return str(other or "anything")


def _bounds(schema: Schema) -> list[str]:
    return [told.format(f"{schema[name]:,.15g}") for name, told in _BOUNDS.items() if name in schema]


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    value = schema.get("default")
    return "" if value in (None, "", {}, []) else code(value)
