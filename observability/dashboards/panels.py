"""What a dashboard is, whoever draws it: rows of panels, each of which answers one question."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum


class Kind(StrEnum):
    """How a panel is drawn, where more than lines can be drawn."""

    LINES = "lines"
    STACKED = "stacked"


class Unit(Enum):
    """What the numbers are: Grafana's id of it, and the word beside the viewer's axis."""

    NUMBER = ("short", "")
    SECONDS = ("s", "s")
    SHARE = ("percentunit", "")
    """0 to 1."""
    GIGABYTES = ("decgbytes", "GB")
    MEGABYTES_PER_SECOND = ("MBs", "MB/s")
    PER_SECOND = ("suffix:/s", "/s")
    WORKERS = ("short", "busy")
    """Seconds of work in a second: how many are busy all the time."""
    DOLLARS = ("currencyUSD", "$")

    @property
    def grafana(self) -> str:
        """Grafana's id."""
        return self.value[0]

    @property
    def viewer(self) -> str:
        """The viewer's word."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Query:
    """A question in PromQL.

    Parameters
    ----------
    promql
        With `observability.dashboards.promql.WINDOW` where it looks back.
    legend
        The name of each line; ``{{stage}}`` stands for the value of that label.
    silent
        When it is right that there is no answer, as the rest of "Nothing is drawn ...". Empty where there always is one
        once some images went through.
    """

    promql: str
    legend: str
    silent: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and what answers it.

    Parameters
    ----------
    title
        A few words.
    question
        What somebody looks here for; it ends with a question mark.
    queries
        Their answers share the axis.
    unit, kind
        How the numbers are shown.
    reading
        How to read it: what is well, and where to look next.
    width
        In twelfths of the page.
    """

    title: str
    question: str
    queries: tuple[Query, ...]
    unit: Unit
    kind: Kind = Kind.LINES
    reading: str = ""
    width: int = 6

    @property
    def description(self) -> str:
        """The question, how to read the answer, and when there is none."""
        silent = (f"Nothing is drawn {query.silent}." for query in self.queries if query.silent)
        return " ".join(part for part in (self.question, self.reading, *dict.fromkeys(silent)) if part)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels.

    Parameters
    ----------
    name
        Of its files, and its identity in Grafana.
    title
        What people call it.
    rows
        From top to bottom, the most urgent first.
    """

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> Iterator[Panel]:
        """All of them, in order."""
        return (panel for row in self.rows for panel in row.panels)
