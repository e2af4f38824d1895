"""griffe's only home: what the code says of itself, read without running it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Named:
    """A parameter, a field, or an error that may come: its name, type, default and meaning."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method as its docstring tells it."""

    name: str
    signature: str
    text: str
    parameters: Sequence[Named]
    raises: Sequence[Named]


def fields(module: str, name: str) -> list[Named]:
    """The annotated attributes of a class, with the docstrings below them."""
    return [
        Named(each.name, str(each.annotation), _default(each), _text(each))
        for each in _class(module, name).attributes.values()
        if each.annotation is not None and "property" not in each.labels and not each.name.startswith("_")
    ]


def meanings(modules: Sequence[str], name: str) -> Mapping[str, str]:
    """What the docstrings of a class's fields say, from the first module that has such a class."""
    for module in modules:
        if isinstance(_module(module).members.get(name), griffe.Class):
            return {field.name: field.meaning for field in fields(module, name)}
    return {}


def classes(module: str) -> list[str]:
    """The names of a module's classes, in order."""
    return list(_module(module).classes)


def about(module: str, name: str = "") -> str:
    """The docstring of a module, or of something in it."""
    return _text(_module(module)[name] if name else _module(module))


def function(module: str, name: str) -> Function:
    """A function, or `Class` for what its parameters are."""
    found = _module(module)[name]
    return _function(found)


def methods(module: str, name: str) -> Iterator[Function]:
    """The public methods and properties of a class, in order."""
    for each in _class(module, name).members.values():
        called = isinstance(each, griffe.Function) or "property" in each.labels
        if called and not each.name.startswith("_"):
            yield _function(each)


def returned(module: str, name: str) -> str:
    """What a function returns, in a sentence: the first of its docstring, and what it says of the value."""
    found = _module(module)[name]
    texts = [_function(found).text]
    for section in found.docstring.parsed if found.docstring else ():
        if section.kind is griffe.DocstringSectionKind.returns:
            texts += [each.description for each in section.value]
    return " ".join(texts)


@cache
def _module(name: str) -> griffe.Module:
    found = griffe.load(name, docstring_parser="numpy", search_paths=[ROOT], resolve_aliases=False)
    if not isinstance(found, griffe.Module):
        raise TypeError(f"{name} is no module")
    return found


def _class(module: str, name: str) -> griffe.Class:
    found = _module(module)[name]
    if not isinstance(found, griffe.Class):
        raise TypeError(f"{name} is no class")
    return found


def _text(found: griffe.Object | griffe.Alias) -> str:
    return textwrap.dedent(found.docstring.value) if found.docstring else ""


def _default(found: griffe.Attribute) -> str:
    return "" if found.value is None else str(found.value)


def _annotated(found: griffe.Object | griffe.Alias) -> str:
    return f"{found.name}: {found.annotation}" if isinstance(found, griffe.Attribute) else ""


def _function(found: griffe.Object | griffe.Alias) -> Function:
    signature = found.signature() if isinstance(found, griffe.Function) else _annotated(found)
    texts: list[str] = []
    named: dict[str, list[Named]] = {}
    for section in found.docstring.parsed if found.docstring else ():
        if section.kind is griffe.DocstringSectionKind.text:
            texts.append(section.value)
        elif isinstance(section.value, list):
            named[section.kind.value] = [_named(each) for each in section.value]
    return Function(found.name, signature, "\n\n".join(texts), named.get("parameters", []), named.get("raises", []))


def _named(element: griffe.DocstringElement) -> Named:
    name = getattr(element, "name", "")
    return Named(name, str(element.annotation or ""), str(getattr(element, "value", None) or ""), element.description)
