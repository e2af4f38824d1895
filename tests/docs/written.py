"""The pages as they are written, and the commands in their blocks."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from docs.building import PAGES
from docs.fences import Fence, fences

_BEGIN = """set -euo pipefail
newest() {
  monolayer jobs --limit 1 --json | python -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["job"])'
}
"""
PROGRAMS = ("monolayer", "loadgen", "make")
_PIECES = re.compile(r"&&|\|\||[|;]|\$\(|\)")
"""What stands between commands of a line."""


def pages() -> list[Path]:
    return sorted(PAGES.rglob("*.md"))


def script(page: str) -> str:
    """A page's blocks as one script of bash that ends with the first command that fails; JOB is the newest job."""
    return "\n".join([_BEGIN, *(_step(fence) for fence in fences(page) if fence.runs)])


def commands(page: str) -> Iterator[tuple[str, list[str]]]:
    """Every command of our programs in a page's blocks of shell: where it is, and its words."""
    for fence in fences(page):
        if fence.language == "sh":
            for number, line in enumerate(fence.text.splitlines()):
                for words in _commands_of(line):
                    yield f"line {fence.line + number + 1}", words


def _step(fence: Fence) -> str:
    if fence.language == "python":
        text = f"python - <<'PYTHON'\n{fence.text}PYTHON\n"
    else:
        text = re.sub(r"\bJOB\b", '"$(newest)"', fence.text)
    if not fence.exits:
        return text
    return f"code=0\n{{ {text}\n}} || code=$?\ntest $code -eq {fence.exits}\n"


def _commands_of(line: str) -> Iterator[list[str]]:
    for piece in _PIECES.split(line):
        try:
            words = shlex.split(piece, comments=True)
        except ValueError:  # half a quotation, as around a substitution: the rest of it is another program's
            words = piece.replace('"', "").split()
        while words and "=" in words[0]:
            words = words[1:]
        if words and words[0] in PROGRAMS:
            yield words
