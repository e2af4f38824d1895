"""What lies where in the bucket, from `storage/keys.py`, and what is in the records there."""

import re
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from docs.markdown import chapters, code, table
from docs.reference import docstrings, schemas
from streams.events import Rejection
from streams.jobs import records

HEAD = """# Objects

Made from `storage/keys.py` and `streams/jobs/records.py`. The layout is published: whoever can read the
bucket may rely on it, and `loadgen verify` does. Fields that a reader doesn't know are to be passed over.
"""
RECORDS: dict[str, type[BaseModel]] = {
    "jobs/<job>/job.json": records.Job,
    "jobs/<job>/manifest/<shard>.json": records.ManifestShard,
    "jobs/<job>/manifest/index.json": records.ManifestIndex,
    "jobs/<job>/rejected/<shard>/<image>.<round>.json": Rejection,
    "jobs/<job>/rounds/<round>.<mark>.json": records.Round,
    "jobs/<job>/budget.json": records.Budget,
    "jobs/<job>/cancelled.json": records.Cancelled,
    "jobs/<job>/done.json": records.Done,
    "open/<job>": records.Clock,
    "held/job/<job>": records.Held,
    "deleted/<job>": records.Deleted,
}
"""Objects that are JSON, and what they are written in."""
MODULES = ("streams.jobs.records", "streams.events", "observability.cost")
_LINE = re.compile(r"^ {4}(\S.*?)(?: {2,}(\S.*))?$")


def page() -> str:
    """The layout as a table, then the records."""
    rows = [(code(key), meaning) for key, meaning in entries()]
    return chapters(HEAD, _prose(), table(("key", "what it is"), rows), "## Records", *_records())


def entries() -> Iterator[tuple[str, str]]:
    """Every kind of key and what it is, as the module's docstring has them."""
    found: list[list[str]] = []
    for line in docstrings.about("storage.keys").splitlines():
        if re.match(r"^ {20,}\S", line):  # goes on from the line above
            found[-1][1] += f" {line.strip()}"
        elif told := _LINE.match(line):
            found.append([told[1], told[2] or ""])
    return ((key, meaning or (RECORDS[key].__doc__ or "")) for key, meaning in found)


def _prose() -> str:
    lines = docstrings.about("storage.keys").splitlines()[1:]
    return "\n".join(line for line in lines if not line.startswith("    "))


def _records() -> Iterator[str]:
    _, made = models_json_schema([(model, "validation") for model in RECORDS.values()], ref_template="#/$defs/{model}")
    places = {model.__name__: key for key, model in RECORDS.items()}
    for name, schema in sorted(made["$defs"].items(), key=lambda item: item[0] not in places):
        told = f"{code(places[name])}. " if name in places else ""
        fields = schemas.content(schema, docstrings.meanings(MODULES, name))
        yield chapters(f"### {name}", told + schema.get("description", ""), fields)
