"""The HTTP API, from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from docs.markdown import chapters, code, table
from docs.reference import docstrings, schemas
from kiosk.api.app import create_app
from storage.memory import MemoryStore
from streams.events import Event

HEAD = """# HTTP API

Made from the API's own description, which a running Monolayer serves at `/api/v1/openapi.json`; here it is as a file:
[openapi.json](openapi.json). An error is a problem document as RFC 9457 has it, `application/problem+json`; its
`detail` is one sentence for a person.
"""
MODULES = ("kiosk.contract", "kiosk.traces", "streams.events", "observability.cost")
"""Where the classes of bodies are."""
_NOTHING = str(HTTPStatus.NO_CONTENT.value)
_NOISE = {"HTTPValidationError", "ValidationError"}
"""FastAPI's own words for what we answer as a problem."""


def schema() -> dict[str, Any]:
    """The OpenAPI document of an API that nobody asks anything."""
    return create_app(MemoryStore(), _Nobody(), {}).openapi()


def page(openapi: Mapping[str, Any]) -> str:
    """Routes by what they are about, then the bodies they take and give."""
    tags: dict[str, list[str]] = {}
    for path, method, route in _routes(openapi):
        tags.setdefault(route.get("tags", ["other"])[0], []).append(_route(path, method, route))
    told = (chapters(f"## {tag.capitalize()}", *routes) for tag, routes in tags.items())
    return chapters(HEAD, *told, "## Bodies", *_bodies(openapi["components"]["schemas"]))


class _Nobody:
    """Announces nothing."""

    def announce(self, event: Event) -> None:
        """Say nothing."""


def _routes(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            yield path, method.upper(), route


def _route(path: str, method: str, route: Mapping[str, Any]) -> str:
    rows = [
        (code(each["name"]), each["in"], schemas.kind(each["schema"]), "required" if each.get("required") else "")
        for each in route.get("parameters", ())
    ]
    return chapters(
        f"### {method} {path}",
        route.get("description", ""),
        table(("parameter", "in", "kind", ""), rows),
        *_body(route),
        *_answers(route),
    )


def _body(route: Mapping[str, Any]) -> Iterator[str]:
    for kind, content in route.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {schemas.kind(content['schema'])}, as `{kind}`."


def _answers(route: Mapping[str, Any]) -> Iterator[str]:
    for status, answer in route["responses"].items():
        for kind, content in answer.get("content", {}).items():
            told = _told(content)
            if not any(name in told for name in _NOISE):
                yield f"Answers `{status}`: {told}, as `{kind}`."
        if not answer.get("content"):
            yield f"Answers `{status}`: {'nothing' if status == _NOTHING else 'bytes'}."


def _told(content: Mapping[str, Any]) -> str:
    """What an answer is: a schema, a stream of events that carry one, or bytes."""
    if carried := content.get("itemSchema", {}).get("properties", {}).get("data", {}).get("contentSchema"):
        return f"events whose data is {schemas.kind(carried)}"
    schema = content.get("schema")
    return schemas.kind(schema) if schema else "bytes"


def _bodies(components: Mapping[str, Any]) -> Iterator[str]:
    for name, each in components.items():
        if name not in _NOISE:
            meanings = docstrings.meanings(MODULES, name)
            yield chapters(f"### {name}", each.get("description", ""), schemas.content(each, meanings))
