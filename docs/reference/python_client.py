"""The Python client, from its docstrings."""

from docs.markdown import block, chapters, code, table
from docs.reference import docstrings
from docs.reference.docstrings import Function, Named

HEAD = """# Python client

Made from the docstrings of `kiosk.client`. What methods return is described with the
[HTTP API](http-api.md#bodies): the same names, the same fields.
"""
CLASSES = (
    ("kiosk.client.kiosk", "Kiosk"),
    ("kiosk.client.job", "Job"),
    ("kiosk.client.job", "Image"),
    ("kiosk.client.awaited", "AsyncKiosk"),
    ("kiosk.client.awaited", "AsyncJob"),
    ("kiosk.client.monolayer", "Monolayer"),
)
"""What a notebook uses comes first."""


def page() -> str:
    """The client's classes with their methods, then its errors."""
    return chapters(HEAD, *(_client(*each) for each in CLASSES), "## Errors", _errors())


def _client(module: str, name: str) -> str:
    made = docstrings.function(module, name)
    told = [_function(each, f"{name}.") for each in docstrings.methods(module, name)]
    return chapters(f"## {name}", made.text, *_lists(made), *told)


def _function(found: Function, owner: str) -> str:
    return chapters(f"### {owner}{found.name}", block(found.signature, "py"), found.text, *_lists(found))


def _lists(found: Function) -> tuple[str, str]:
    parameters = table(("parameter", "kind", "meaning"), [_row(each) for each in found.parameters])
    raises = table(("raises", "when"), [(code(each.kind), each.meaning) for each in found.raises])
    return parameters, raises


def _row(each: Named) -> tuple[str, str, str]:
    return code(each.name), code(each.kind), each.meaning


def _errors() -> str:
    names = docstrings.classes("kiosk.errors")
    return table(("error", "meaning"), [(code(name), docstrings.about("kiosk.errors", name)) for name in names])
