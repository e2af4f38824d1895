"""Two runs of the same work: is the second better, worse, or can't it be said?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from loadgen.run.intervals import SURE, chance, ratio_interval
from loadgen.run.plan import BadPlan
from loadgen.run.report import FORMAT, REPORT

Judgement = Literal["better", "worse", "undecided"]
MORE_IS_BETTER = frozenset({"images_per_second"})
SAME = ("images", "zip_size", "delay", "image_size", "model", "folder", "tenants", "diameter")
"""What two plans have to share to be the same work."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure in both: means over repeats, their ratio with its interval, and how likely chance alone does that."""

    figure: str
    before: float
    after: float
    interval: tuple[float, float] | None
    """Of after over before."""
    chance: float
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures, what stands in the way of comparing them, and what it comes to."""

    figures: tuple[Compared, ...]
    differences: tuple[str, ...]
    """Of the work, the machine or the versions, in sentences."""
    repeats: tuple[int, int]

    @property
    def judgement(self) -> Judgement:
        """Better where something is better and nothing worse, and the other way round."""
        found = {each.judgement for each in self.figures} - {"undecided"}
        return found.pop() if len(found) == 1 else "undecided"


def compare(before: Path, after: Path) -> Comparison:
    """Compare what lies in two folders: a run, or several in folders of their own. Raises `BadPlan`."""
    one, other = reports(before), reports(after)
    first, second = ([repeat for report in each for repeat in report["repeats"]] for each in (one, other))
    shared = [name for name in (first or [{}])[0] if all(name in repeat for repeat in (*first, *second))]
    figures = tuple(_compared(name, [each[name] for each in first], [each[name] for each in second]) for name in shared)
    return Comparison(figures, tuple(_differences(one[0], other[0])), (len(first), len(second)))


def reports(folder: Path) -> list[dict[str, Any]]:
    """The reports in a folder, or in its folders; raises `BadPlan` where there is none, or one of another format."""
    paths = [folder / REPORT] if (folder / REPORT).exists() else sorted(folder.glob(f"*/{REPORT}"))
    if not paths:
        raise BadPlan(f"There is no {REPORT} in {folder}, nor in its folders: `loadgen run --report` writes one.")
    found = [_read(path) for path in paths]
    if not any(report["repeats"] for report in found):
        raise BadPlan(f"No image was measured in {folder}: there is nothing to compare.")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as why:
        raise BadPlan(f"{path} can't be read: {why}.") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise BadPlan(f"{path} is no report of format {FORMAT}; `loadgen report {path.parent}` writes it anew.")
    return told


def _compared(name: str, before: Sequence[float], after: Sequence[float]) -> Compared:
    likely, interval = chance(before, after), ratio_interval(before, after)
    one, other = fmean(before), fmean(after)
    return Compared(name, one, other, interval, likely, _judged(name, one, other, likely))


def _judged(name: str, before: float, after: float, likely: float) -> Judgement:
    if likely > SURE or before == after:
        return "undecided"
    return "better" if (after > before) == (name in MORE_IS_BETTER) else "worse"


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    pairs = [("plan", name, "The work differs") for name in SAME]
    pairs += [("machine", name, "The machines differ") for name in ("cpu", "cores")]
    pairs += [("system", "version", "What was under load differs")]
    found = [(what, name, one[part].get(name), other[part].get(name)) for part, name, what in pairs]
    found.append(("What was under load differs", "observed", one["observed"], other["observed"]))
    return [
        f"{what}: {name.replace('_', ' ')} is {before!r} before and {after!r} after."
        for what, name, before, after in found
        if before != after
    ]
