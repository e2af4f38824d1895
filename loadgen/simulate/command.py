"""`loadgen simulate`: the autoscaling policies on load curves, as a table."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from loadgen.simulate.table import Row

Some = Annotated[list[str] | None, typer.Argument(metavar="[CURVE]...", help="Names of curves; without any, all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


def simulate(curves: Some = None, as_json: AsJson = False) -> None:
    """Play load curves with our autoscaling policy and the published one, and compare waiting with node-hours.

    Nothing is started: replicas, queue and autoscaler are simulated, with the very formulas that the charts render.
    """
    from loadgen.simulate.curves import CURVES
    from loadgen.simulate.table import rows, together

    names = [curve.name for curve in CURVES]
    unknown = next((name for name in curves or () if name not in names), None)
    if unknown is not None:
        raise typer.BadParameter(f"no curve {unknown!r}; there are {', '.join(names)}")
    found = list(rows(curve for curve in CURVES if not curves or curve.name in curves))
    if as_json:
        print(json.dumps({"rows": [row.as_json() for row in found]}))
    else:
        console = Console()
        console.print(_table(found))
        for sentence in together(found):
            console.print(sentence, highlight=False, soft_wrap=True)


def _table(rows: "Iterable[Row]") -> Table:
    table = Table("curve", "policy", box=None)
    for title in ("waited", "drained", "worker-h", "server-h", "turns"):
        table.add_column(title, justify="right")
    for row in rows:
        drained = "not" if row.drained is None else f"{row.drained:.0f} s"
        hours = (f"{row.worker_hours:.2f}", f"{row.server_hours:.2f}")
        table.add_row(row.curve, row.policy, f"{row.waited:.0f} s", drained, *hours, str(row.turns))
    return table
