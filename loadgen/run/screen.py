"""What a person sees of a run in the terminal: progress, and its figures in short."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from loadgen.run.compare import Comparison
from loadgen.run.judged import is_clean, sentence
from loadgen.run.report import PAGE

LEAST_REPEATS = 4
"""Of each run, with which a difference can be believed at all."""
LINE_SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""


@contextmanager
def telling(said: Console) -> Iterator[Callable[[str], None]]:
    """Yields what shows how far it is: in place in a terminal, now and then a line elsewhere."""
    if said.is_terminal:
        with said.status("beginning") as status:
            yield lambda words: status.update(words)
        return
    last = [float("-inf")]

    def line(words: str) -> None:
        if time.monotonic() - last[0] >= LINE_SECONDS:
            last[0] = time.monotonic()
            said.print(words, markup=False, highlight=False, soft_wrap=True)

    yield line


def show(told: dict[str, Any], folder: Path, said: Console) -> None:
    """The figures in short, then the verdict."""
    table = Table(Column("figure", no_wrap=True), Column("mean", justify="right"), "interval", box=None, pad_edge=False)
    for name, interval in told["intervals"].items():
        values = [each[name] for each in told["repeats"] if name in each]
        between = f"{interval[0]:.4g} to {interval[1]:.4g}" if interval else ""
        table.add_row(name.replace("_", " "), f"{sum(values) / len(values):.4g}", between)
    said.print(table)
    for why, count in told["zips"]["problems"].items():
        said.print(f"{count} zips were not accepted: {why}", markup=False, style="red", soft_wrap=True)
    style = "green" if is_clean(told["verdict"]) else "red"
    said.print(sentence(told["verdict"]), markup=False, highlight=False, style=style, soft_wrap=True)
    for note in told["notes"]:
        said.print(note, markup=False, highlight=False, soft_wrap=True)
    said.print(f"Report: {folder / PAGE}", markup=False, highlight=False, soft_wrap=True)


def show_comparison(found: Comparison) -> None:
    """Every figure with its judgement, then the whole."""
    said = Console()
    table = Table("figure", "A", "B", "B over A", "by chance", "judgement", box=None, pad_edge=False)
    for each in found.figures:
        between = f"{each.interval[0]:.3f} to {each.interval[1]:.3f}" if each.interval else ""
        name, before, after = each.figure.replace("_", " "), f"{each.before:.4g}", f"{each.after:.4g}"
        table.add_row(name, before, after, between, f"{each.chance:.3f}", each.judgement)
    said.print(table)
    for difference in found.differences:
        said.print(difference, markup=False, style="yellow", soft_wrap=True)
    said.print(_whole(found), markup=False, soft_wrap=True)


def _whole(found: Comparison) -> str:
    one, other = found.repeats
    if found.judgement != "undecided":
        return f"B is {found.judgement} than A, by {one} and {other} repeats."
    few = f" It takes {LEAST_REPEATS} of each at least." if min(one, other) < LEAST_REPEATS else ""
    return f"Undecided, by {one} and {other} repeats.{few}"
