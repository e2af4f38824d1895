"""Every command in the pages is one that there is, with options that there are."""

import re
from pathlib import Path

import pytest

from docs.reference.commands import PROGRAMS, all_of
from tests.docs.written import commands, pages

TARGETS = re.findall(r"^([a-z]+):", Path("Makefile").read_text(), re.MULTILINE)


def complaint(words: list[str]) -> str:
    """What the program has against a command line; empty where it takes it."""
    if words[0] == "make":
        return "" if set(words[1:]) <= set(TARGETS) else f"no such target: {words[1:]}"
    known = all_of(words[0])
    typed = next((name for count in (3, 2) if (name := " ".join(words[:count])) in known), None)
    if typed is None:
        return f"no such command: {words}"
    try:
        known[typed].make_context(typed, words[len(typed.split()) :])
    except Exception as error:  # Typer's own kinds, which have no public name
        return str(error)
    return ""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_is_understood(page: Path) -> None:
    wrong = [f"{where}: {told}" for where, words in commands(page.read_text()) if (told := complaint(words))]
    assert not wrong


def test_what_nobody_understands_is_found() -> None:
    page = "```sh\nA=1 monolayer submit x --diametre 2 && loadgen verfy\n```\n```sh not-run\nmake tea\n```\n"
    assert [(where, complaint(words)) for where, words in commands(page)] == [
        ("line 2", "No such option: --diametre"),
        ("line 2", "no such command: ['loadgen', 'verfy']"),
        ("line 5", "no such target: ['tea']"),
    ]


def test_the_pages_use_every_program() -> None:
    used = {words[0] for page in pages() for _, words in commands(page.read_text())}
    assert used == {*PROGRAMS, "make"}
