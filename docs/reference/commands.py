"""The command line, from the commands themselves."""

import re
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


def _program(name: str) -> str:
    found = group(name)
    return chapters(
        f"## {name}",
        _prose(found.help),
        _parameters(found, name),
        *(_command(name, command, each) for command, each in found.commands.items()),
    )


def _command(program: str, name: str, command: Any) -> str:
    usage = " ".join(_context(command, f"{program} {name}").get_usage().removeprefix("Usage: ").split())
    return chapters(f"### {program} {name}", block(usage), _prose(command.help), _parameters(command, name))


def _parameters(command: Any, name: str) -> str:
    context = _context(command, name)
    records = [each.get_help_record(context) for each in command.params]
    return table(("", ""), [(code(record[0]), record[1]) for record in records if record])


def _context(command: Any, name: str) -> Any:
    return command.make_context(name, [], resilient_parsing=True)


def _prose(text: str) -> str:
    paragraphs = re.split(r"\n{2,}", text)
    return chapters(*(block(each.removeprefix(_RAW)) if each.startswith(_RAW) else each for each in paragraphs))
