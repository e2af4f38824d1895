"""The environment variables, from the settings and from the functions that read one."""

from collections.abc import Iterator

from docs.markdown import chapters, code, table
from docs.reference import docstrings

HEAD = """# Environment variables

Made from the code that reads them. On one machine you need none: `monolayer up` starts every process with those
that it needs, and `monolayer env` prints them for other programs. What you set before `monolayer up`, it passes on to
them, but for addresses and keys, which it chooses.
"""
EVERY = """## Of every process

A process started by hand is told these.
"""
PREFIX = "MONOLAYER_"
LOCAL = {
    "STATE": ("kiosk.local.state", "state_folder"),
    "CACHE": ("kiosk.local.cache", "cache_folder"),
    "SEGMENT_WORKERS": ("kiosk.local.settings", "segment_workers"),
}
"""Variables that one function reads, whose docstring says what they are for."""
SETTINGS = {"stages": "streams.settings", "API": "kiosk.api.settings", "loadgen": "loadgen.settings"}
"""Who reads which settings."""


def page() -> str:
    """The variables of one machine, then those of every process."""
    local = table(("variable", "meaning"), _local())
    every = table(("variable", "default", "meaning", "read by"), _every())
    return chapters(HEAD, "## On one machine", local, EVERY, every)


def _local() -> Iterator[tuple[str, str]]:
    for name, (module, function) in LOCAL.items():
        yield code(f"{PREFIX}{name}"), _noun(docstrings.returned(module, function))
    for each in docstrings.function("kiosk.client.monolayer", "Monolayer").parameters:
        if PREFIX in each.meaning:
            yield code(f"{PREFIX}{each.name.upper()}"), f"For clients. {each.meaning}"


def _noun(sentence: str) -> str:
    """What a function returns, without saying that it does."""
    told = sentence.removeprefix("Return ").replace("``", "`")
    return told[:1].upper() + told[1:]


def _every() -> Iterator[tuple[str, str, str, str]]:
    merged: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for who, module in SETTINGS.items():
        for each in docstrings.fields(module, "Settings"):
            _, readers = merged.setdefault((each.name, _plain(each.default)), (each.meaning, []))
            readers.append(who)
    for (name, default), (meaning, readers) in sorted(merged.items()):
        yield code(f"{PREFIX}{name.upper()}"), code(default), meaning, ", ".join(readers)


def _plain(default: str) -> str:
    value = default.removeprefix("AnyHttpUrl(").removesuffix(")").strip("'\"")
    return "" if value == "None" else value
