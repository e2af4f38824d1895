"""What a run came to: a table for people, one object for programs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from loadgen.chaos.commits import Acknowledged
from loadgen.chaos.judge import Verdict
from loadgen.chaos.verified import Traced
from loadgen.chaos.world import Measured

MOST_SENTENCES = 20


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault as it was."""

    at: float
    """Seconds since the disturbed run began."""
    kind: str
    group: str
    hit: str
    """What was hit, and how."""
    seconds: float
    recovery: float | None = None
    """Seconds from its end to the next image that ended; none where another fault came first, or nothing was left."""


@dataclass(slots=True)
class Report:
    """Everything that a run came to."""

    seed: int
    verdict: Verdict
    measured: Measured
    injected: list[Injected]
    not_met: Counter[str]
    jobs: list[str]
    images_per_second: float
    undisturbed_images_per_second: float
    verified: dict[str, Any] | None
    """What `loadgen verify` says; none where it couldn't be asked."""
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    deaths: Counter[int] = field(default_factory=Counter)
    """How many processes each image killed."""
    troubles: list[str] = field(default_factory=list)
    """What else went wrong, in sentences."""
    traced: Traced | None = None
    """What the traces tell, where they were asked for."""

    @property
    def lost(self) -> int:
        """Images without an outcome, whoever noticed."""
        return max(len(self.verdict.lost), self._verified("lost"))

    @property
    def anomalies(self) -> int:
        """Everything that should not be; what is lost is counted once, whoever noticed."""
        own = [*self.verdict.differing, *self.verdict.misjudged, *self.acknowledged.wrong, *self.troubles]
        untraced = self.traced.images - self.traced.complete if self.traced else 0
        return len(own) + untraced + self.lost + self._verified("anomalies") - self._verified("lost")

    @property
    def clean(self) -> bool:
        """Whether all promises were kept."""
        return self.anomalies == 0

    @property
    def summary(self) -> dict[str, Any]:
        """One object for programs. Seconds and images per second."""
        recoveries = [each.recovery for each in self.injected if each.recovery is not None]
        return {
            "seed": self.seed,
            "jobs": len(self.jobs),
            "images": self.verdict.images,
            "labelled": self.verdict.labelled,
            "rejected": self.verdict.rejected,
            "faults": len(self.injected),
            "lost": self.lost,
            "duplicated": self._verified("duplicated"),
            "differing": len(self.verdict.differing),
            "misjudged": len(self.verdict.misjudged),
            "commits": self.acknowledged.commits,
            "acknowledged": self.acknowledged.passed,
            "acknowledged_wrongly": len(self.acknowledged.wrong),
            "anomalies": self.anomalies,
            "images_per_second": round(self.images_per_second, 2),
            "undisturbed_images_per_second": round(self.undisturbed_images_per_second, 2),
            "throughput_ratio": _ratio(self.images_per_second, self.undisturbed_images_per_second),
            "recovery_median_s": _of(recoveries, median),
            "recovery_max_s": _of(recoveries, max),
            "exits": len(self.measured.exits),
            "slowest_exit_s": _of(self.measured.exits, max),
            "takeovers": len(self.measured.takeovers),
            "slowest_takeover_s": _of(self.measured.takeovers, max),
            "slowest_taken_up_s": _of(self.measured.taken_up, max),
            "roll_gap_median_s": _of(self.measured.gaps, median),
            "roll_gap_worst_s": _of(self.measured.gaps, max),
            "deadly_images": len(self.deaths),
            "deaths": self.deaths.total(),
            "by_kind": dict(sorted(Counter(each.kind for each in self.injected).items())),
            "not_met": dict(sorted(self.not_met.items())),
            "verified": self.verified is not None,
            **self._traces(),
            "sentences": self.sentences[:MOST_SENTENCES],
        }

    @property
    def sentences(self) -> list[str]:
        """Everything that should not be, in words."""
        verdict = self.verdict
        said = [str(example["sentence"]) for example in (self.verified or {}).get("examples", [])]
        return [
            *self.troubles,
            *verdict.lost,
            *verdict.differing,
            *verdict.misjudged,
            *said,
            *self.acknowledged.wrong,
            *(self.traced.sentences if self.traced else ()),
        ]

    def show(self, console: Console) -> None:
        """Print tables: faults by kind with their recoveries, then the figures, then what should not be."""
        console.print(_faults(self.injected))
        console.print(_figures(self.summary))
        for sentence in self.sentences[:MOST_SENTENCES]:
            console.print(sentence, style="red", markup=False)

    def _traces(self) -> dict[str, Any]:
        told = self.traced
        return {"traced": told.images, "complete": told.complete, "coverage": round(told.coverage, 5)} if told else {}

    def _verified(self, what: str) -> int:
        return int((self.verified or {}).get(what, 0))


def _faults(injected: Sequence[Injected]) -> Table:
    table = Table(Column("fault", no_wrap=True), "times", "recovery, median s", "longest s", title="faults")
    for kind, times in sorted(Counter(each.kind for each in injected).items()):
        recoveries = [each.recovery for each in injected if each.kind == kind and each.recovery is not None]
        table.add_row(kind, str(times), _text(_of(recoveries, median)), _text(_of(recoveries, max)))
    return table


def _figures(summary: dict[str, Any]) -> Table:
    table = Table("figure", "value", title="the run")
    for name, value in summary.items():
        if not isinstance(value, dict | list):
            table.add_row(name.replace("_", " "), _text(value))
    return table


def _of(seconds: Sequence[float], what: Any) -> float | None:
    return round(float(what(seconds)), 2) if seconds else None


def _ratio(disturbed: float, undisturbed: float) -> float | None:
    return round(disturbed / undisturbed, 3) if undisturbed else None


def _text(value: object) -> str:
    return "-" if value is None else str(value)
