"""The command line, from the commands themselves."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from docs.markdown import block, chapters, code, table
from kiosk import cli
from loadgen import cli as loadgen

HEAD = """# Commands

Made from the programs themselves. Each command has `--help`, which says the same.
"""
PROGRAMS = {"monolayer": cli.app, "loadgen": loadgen.app}
_RAW = "\b\n"
"""Before a paragraph of a help text whose lines stay as they are."""


def page() -> str:
    """All commands of both programs."""
    return chapters(HEAD, *(_program(name) for name in PROGRAMS))


def group(program: str) -> Any:
    """A program's commands: what Typer makes of its functions."""
    return typer.main.get_command(PROGRAMS[program])


def all_of(program: str) -> dict[str, Any]:
    """Every command of a program by what is typed for it, those of groups such as `monolayer tokens` included."""
    return dict(_below(program, group(program)))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for word, each in command.commands.items():
        yield f"{name} {word}", each
        if hasattr(each, "commands"):
            yield from _below(f"{name} {word}", each)


def _program(name: str) -> str:
    found = group(name)
    told = (_command(typed, each) for typed, each in all_of(name).items())
    return chapters(f"## {name}", _prose(found.help), _parameters(found, name), *told)


def _command(typed: str, command: Any) -> str:
    usage = " ".join(_context(command, typed).get_usage().removeprefix("Usage: ").split())
    return chapters(f"### {typed}", block(usage), _prose(command.help), _parameters(command, typed))


def _parameters(command: Any, name: str) -> str:
    context = _context(command, name)
    records = [each.get_help_record(context) for each in command.params]
    return table(("", ""), [(code(record[0]), record[1]) for record in records if record])


def _context(command: Any, name: str) -> Any:
    return command.make_context(name, [], resilient_parsing=True)


def _prose(text: str) -> str:
    paragraphs = re.split(r"\n{2,}", text)
    return chapters(*(block(each.removeprefix(_RAW)) if each.startswith(_RAW) else each for each in paragraphs))
