"""What an audit came to: a row for each job, what is wrong in sentences, what could not be judged."""

from dataclasses import dataclass, field
from typing import Any

from loadgen.verify.anomalies import Findings, Kind
from loadgen.verify.books import Counts


@dataclass(frozen=True, slots=True)
class Row:
    """One job in numbers."""

    job: str
    counts: Counts
    state: str
    """Listing, running, done or cancelled."""
    events: int = 0
    """Outcome events."""
    repeated: int = 0
    """Those that said what another had said before."""
    overruled: int = 0
    """Images announced both as rejected and as labelled: the label counts."""


@dataclass(slots=True)
class Report:
    """All jobs, all anomalies, and in `notes` what could not be judged and why."""

    rows: list[Row] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)

    @property
    def total(self) -> Counts:
        """All jobs together."""
        return sum((row.counts for row in self.rows), Counts())

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        total, by_class = self.total, self.findings.by_class
        return {
            "jobs": len(self.rows),
            "images": total.images,
            "labelled": total.labelled,
            "rejected": total.rejected,
            "cancelled": total.cancelled,
            "in_flight": total.in_flight,
            "lost": by_class[Kind.LOST],
            "duplicated": by_class[Kind.DUPLICATED],
            "anomalies": self.findings.total,
            "by_class": {str(kind): by_class[kind] for kind in Kind},
            "events": sum(row.events for row in self.rows),
            "repeated_events": sum(row.repeated for row in self.rows),
            "overruled": sum(row.overruled for row in self.rows),
            "examples": [
                {"class": str(each.kind), "job": each.job, "image": each.image, "sentence": each.sentence}
                for each in self.findings.examples
            ],
            "notes": self.notes,
        }
