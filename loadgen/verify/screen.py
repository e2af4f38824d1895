"""What a person sees of an audit: the report on standard output, progress and complaints on standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from loadgen.verify.anomalies import EXAMPLES, MEANING, Kind
from loadgen.verify.audit import Tell
from loadgen.verify.report import Report, Row
from loadgen.verify.traces import TraceReport

COLUMNS = ("job", "state", "images", "labelled", "rejected", "cancelled", "in flight", "anomalies")


def warn(text: str) -> None:
    """Print a complaint."""
    print(text, file=sys.stderr)


@contextmanager
def reading() -> Iterator[Tell]:
    """Show what is being read; yields what hears of it. Where there is no terminal, nothing is shown."""
    console = Console(stderr=True)
    text = TextColumn("{task.description}", markup=False)
    with Progress(
        text, BarColumn(), MofNCompleteColumn(), console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda what, count, total: progress.update(task, description=what, completed=count, total=total)


def show(report: Report, as_json: bool) -> None:
    """Print a report."""
    if as_json:
        print(json.dumps(report.as_json()), flush=True)
        return
    _table([*map(_cells, _rows(report))])
    for note in report.notes:
        print(note)
    for kind in Kind:
        _anomalies(report, kind)
    print(_verdict(report), flush=True)


def show_traces(reports: Sequence[TraceReport], as_json: bool) -> None:
    """Print what is known of jobs' traces; one job is one JSON object, several are a list."""
    if as_json:
        told = [report.as_json() for report in reports]
        print(json.dumps(told[0] if len(told) == 1 else told), flush=True)
        return
    for report in reports:
        coverage, widest = f"{report.coverage:.2%}", f"{report.widest:.2%}"
        print(f"job {report.job}: {report.complete} of {_amount(report.images, 'image')} have one complete trace.")
        print(f"{coverage} of their time was measured; the widest gap is {widest} of its image's time.")
        if report.wide_slits:
            images, most = _amount(report.wide_slits, "image"), f"{report.widest_slit:.2%}"
            print(f"Of {images} more than 1 % in one piece (at most {most}) was not measured; the phase before has it.")
        for example in report.examples:
            print(f"  {example}.")


def _rows(report: Report) -> Iterator[tuple[Row, int]]:
    for row in report.rows:
        yield row, report.findings.by_job[row.job]


def _cells(row: tuple[Row, int]) -> tuple[str, ...]:
    told, anomalies = row
    counts = told.counts
    numbers = (counts.images, counts.labelled, counts.rejected, counts.cancelled, counts.in_flight, anomalies)
    return told.job, told.state, *map(str, numbers)


def _table(rows: list[tuple[str, ...]]) -> None:
    """A table for a person, tabs for a program."""
    if not sys.stdout.isatty():
        for row in (COLUMNS, *rows):
            print("\t".join(row))
        return
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        drawn.add_column(column, no_wrap=column == "job", justify="left" if column in ("job", "state") else "right")
    for row in rows:
        drawn.add_row(*row)
    Console().print(drawn)


def _anomalies(report: Report, kind: Kind) -> None:
    count = report.findings.by_class[kind]
    if not count:
        return
    print(f"\n{kind}: {count} ({MEANING[kind]})")
    for each in report.findings.examples:
        if each.kind == kind:
            print(f"  {each.sentence}.")
    if count > EXAMPLES:
        print(f"  and {count - EXAMPLES} more.")


def _verdict(report: Report) -> str:
    counted = [_amount(len(report.rows), "job"), _amount(report.total.images, "image")]
    events, again = sum(row.events for row in report.rows), sum(row.repeated for row in report.rows)
    if events:
        counted.append(f"{_amount(events, 'outcome event')} ({again} said again what was known)")
    found = _amount(report.findings.total, "anomaly") if report.findings.total else "no anomaly"
    return f"\n{', '.join(counted)}: {found}."


def _amount(count: int, noun: str) -> str:
    """`1 anomaly`, `2 anomalies`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"
