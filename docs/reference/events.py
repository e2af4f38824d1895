"""The events, as AsyncAPI for programs and as a page for people."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from docs.markdown import block, chapters, code, table
from docs.reference import docstrings, schemas
from streams.events import Event, Lane
from streams.stages import STAGES
from streams.topics import REJECTED, TOPICS

HEAD = """# Events

Made from `streams/events.py`; for programs there is [asyncapi.json](asyncapi.json) (AsyncAPI 3.0). Events are JSON.
`UploadReceived` is the one that others may send: [Kafka clients](../how-to/kafka.md). All others are for reading.
Fields that a reader doesn't know are to be passed over; a higher `v` is another language.

Topics with a lane come twice, as `images.interactive` and `images.bulk`: so small jobs are not stuck behind big ones.
"""
READERS = {stage.takes: stage.name for stage in STAGES.values()}
"""The stage that reads each event's topic."""
MODULES = ("streams.events", "streams.runs", "observability.cost")
"""Where the classes of fields are."""
_REF = "#/components/schemas/{model}"
_COPY = "A copy of every rejection, for people. Nothing reads it back."


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of all topics."""
    models = list(READERS)
    _, made = models_json_schema([(model, "serialization") for model in models], ref_template=_REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Monolayer",
            "version": version("monolayer"),
            "description": docstrings.about("streams.events"),
        },
        "defaultContentType": "application/json",
        "channels": {**{event.topic: _channel(event) for event in READERS}, REJECTED: _rejected()},
        "operations": {stage: _operation(event, stage) for event, stage in READERS.items()},
        "components": {
            "messages": {model.__name__: _message(model.__name__, model.__doc__ or "") for model in models},
            "schemas": made["$defs"],
        },
    }


def page(document: Mapping[str, Any]) -> str:
    """Topics in a table, then every event with its fields, then what they hold."""
    events = {event.__name__ for event in READERS}
    made = document["components"]["schemas"]
    rest = [_schema(name, each) for name, each in made.items() if name not in events]
    rows = [*(_row(event, stage) for event, stage in READERS.items()), _copied()]
    topics = table(("topic", "event", "key", "read by", "partitions"), rows)
    return chapters(HEAD, topics, *(_schema(event.__name__, made[event.__name__]) for event in READERS), *rest)


def _row(event: type[Event], stage: str) -> tuple[str, ...]:
    name = event.__name__
    key = docstrings.about("streams.events", f"{_owner_of_key(event)}.key")
    return code(_address(event)), f"[{name}](#{name.lower()})", key, code(stage), _partitions(event.topic)


def _copied() -> tuple[str, ...]:
    return (
        code(REJECTED),
        "[ImageEnded](#imageended)",
        docstrings.about("streams.events", "ImageEnded.key"),
        "people",
        _partitions(REJECTED),
    )


def _owner_of_key(event: type[Event]) -> str:
    return next(each.__name__ for each in event.__mro__ if "key" in vars(each))


def _address(event: type[Event]) -> str:
    return f"{event.topic}.LANE" if event.laned else event.topic


def _partitions(topic: str) -> str:
    return str(next(each.partitions for each in TOPICS if each.name.split(".")[0] == topic))


def _schema(name: str, schema: schemas.Schema) -> str:
    example = [block(text, "json") for text in _examples(schema.get("description", ""))]
    text = schema.get("description", "").split("\n\nIn JSON")[0]
    return chapters(f"## {name}", text, *example, schemas.content(schema, docstrings.meanings(MODULES, name)))


def _examples(text: str) -> list[str]:
    return [line.split("`")[1] for line in text.splitlines() if line.startswith("In JSON: `")]


def _channel(event: type[Event]) -> dict[str, Any]:
    bindings = {"kafka": {"partitions": int(_partitions(event.topic)), "bindingVersion": "0.5.0"}}
    channel = {"messages": _messages(event.__name__), "bindings": bindings}
    if not event.laned:
        return {"address": event.topic, **channel}
    return {"address": f"{event.topic}.{{lane}}", "parameters": {"lane": {"enum": list(Lane)}}, **channel}


def _rejected() -> dict[str, Any]:
    return {"address": REJECTED, "description": _COPY, "messages": _messages("ImageEnded")}


def _messages(name: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"}}


def _operation(event: type[Event], stage: str) -> dict[str, Any]:
    return {"action": "receive", "channel": {"$ref": f"#/channels/{event.topic}"}, "summary": f"The stage {stage}."}


def _message(name: str, doc: str) -> dict[str, Any]:
    return {"name": name, "summary": doc.strip().splitlines()[0], "payload": {"$ref": _REF.format(model=name)}}
