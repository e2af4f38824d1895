"""Blocks of code in the pages, and what their first line promises.

```sh              the tests run it as it stands; JOB is the newest job
```sh exit=2       they run it, and it ends with this exit code
```sh not-run      they don't run it, and the page says so
```python          the same three, for Python
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

NOT_RUN = "not-run"
RUNNABLE = ("sh", "python")
"""Languages whose blocks are promises."""
_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"exit=(\d+)")


class UnknownPromise(Exception):
    """A block's first line says what nobody understands."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code of a page."""

    line: int
    """Of the page, counted from 1."""
    language: str
    text: str
    runs: bool
    exits: int = 0
    """Its exit code when it is run."""


def fences(page: str) -> Iterator[Fence]:
    """The blocks of a page in `RUNNABLE` languages, in order; raises `UnknownPromise`."""
    for found in _FENCE.finditer(page):
        language, words, text = found.groups()
        if language in RUNNABLE:
            line = page.count("\n", 0, found.start()) + 1
            runs, exits = _promise(words.split(), line)
            yield Fence(line, language, text, runs, exits)


def shown(page: str) -> str:
    """The page as its readers see it: promises become titles of their blocks."""
    return _FENCE.sub(_titled, page)


def _promise(words: list[str], line: int) -> tuple[bool, int]:
    match words:
        case []:
            return True, 0
        case [word] if word == NOT_RUN:
            return False, 0
        case [word] if found := _EXIT.fullmatch(word):
            return True, int(found[1])
    raise UnknownPromise(f"line {line}: {' '.join(words)!r} is no promise; there are {NOT_RUN} and exit=CODE")


def _titled(found: re.Match[str]) -> str:
    language, words, text = found.groups()
    if language not in RUNNABLE or not words.strip():
        return found[0]
    runs, exits = _promise(words.split(), 0)
    title = f"Ends with exit code {exits}" if runs else "Not run by the tests"
    return f'```{language} title="{title}"\n{text}```'
