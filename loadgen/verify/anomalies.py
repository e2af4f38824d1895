"""What can be wrong with a job's books, each way with a name of its own."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES = 10
"""Of each kind so many are kept in words; all are counted."""


class Kind(StrEnum):
    """The classes of anomalies."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    UNANNOUNCED = "unannounced"
    WITHOUT_OBJECT = "announced_without_object"
    CHECKSUM = "checksum"
    DEADLINE = "deadline"
    TALLY = "tally"
    MANIFEST = "manifest"
    LEFTOVER = "leftover"
    ORPHAN = "orphan"
    TENANT = "tenant"


MEANING = {
    Kind.LOST: "an image or an upload without an end, where all should have ended",
    Kind.DUPLICATED: "counted twice, or done twice",
    Kind.UNANNOUNCED: "an outcome in the bucket of which nobody was told",
    Kind.WITHOUT_OBJECT: "an announced outcome that is not in the bucket",
    Kind.CHECKSUM: "an outcome that can't be read, is damaged, or is that of another image",
    Kind.DEADLINE: "past its deadline and still without an end",
    Kind.TALLY: "a count that the outcomes contradict",
    Kind.MANIFEST: "a job's list of images that doesn't hold together",
    Kind.LEFTOVER: "what should have been removed with its job's end",
    Kind.ORPHAN: "an outcome of no image of any job",
    Kind.TENANT: "a job whose record, key and upload are not of one tenant",
}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that can't be right, in one sentence that names it."""

    kind: Kind
    job: str
    sentence: str
    image: int | None = None


@dataclass(slots=True)
class Findings:
    """All anomalies counted, the first of each kind kept."""

    by_class: Counter[Kind] = field(default_factory=Counter)
    by_job: Counter[str] = field(default_factory=Counter)
    examples: list[Anomaly] = field(default_factory=list)

    def take(self, anomalies: Iterable[Anomaly]) -> None:
        """Count, and keep what is worth showing."""
        for anomaly in anomalies:
            self.by_class[anomaly.kind] += 1
            self.by_job[anomaly.job] += 1
            if self.by_class[anomaly.kind] <= EXAMPLES:
                self.examples.append(anomaly)

    @property
    def total(self) -> int:
        """How many there are."""
        return self.by_class.total()
