"""What metrics are made of: prometheus_client's only home, with a book in which every metric stands once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

__all__ = ["Book", "Counter", "Entry", "Gauge", "Histogram", "Label", "Live", "Subject", "serve", "values"]

PREFIX = "monolayer_"
Values = tuple[str, ...]
"""The values of a metric's labels, in their order."""
Source = Callable[[], Mapping[Values, float]]
"""Tells values by labels when it is asked, in whatever thread; what it can't tell it leaves out."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter began is of no use, and doubles what is told


@dataclass(frozen=True, slots=True)
class Label:
    """One label, and all values it may have."""

    name: str
    values: Values = ()
    """None where they can't be listed here; then `bound` says what keeps them few."""
    bound: str = ""


class Entry(NamedTuple):
    """One metric as the book shows it."""

    name: str
    kind: str
    labels: Sequence[Label]
    meaning: str


class Live(Collector):
    """A gauge whose values are asked for at each scrape, so that nothing has to be kept up meanwhile."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._sources: list[Source] = []

    def ask(self, source: Source) -> None:
        """Ask this source as well from now on; where two know the same, the later one is believed."""
        self._sources.append(source)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by prometheus_client."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        known = {values: number for source in self._sources for values, number in source().items()}
        for values, number in known.items():
            family.add_metric(values, number)
        yield family

    def describe(self) -> list[GaugeMetricFamily]:
        """Called by prometheus_client, which wants names before anything is known."""
        return [GaugeMetricFamily(self._name, self._meaning, labels=self._labels)]


class Subject:
    """Metrics that tell of the same thing: a chapter of the book."""

    def __init__(self, title: str, registry: CollectorRegistry) -> None:
        self.title = title
        self.entries: list[Entry] = []
        self._registry = registry

    def counter(self, name: str, meaning: str, *labels: Label) -> Counter:
        """What only grows; its name ends in `_total`."""
        return Counter(name, meaning, self._enter(name, "counter", labels, meaning), registry=self._registry)

    def gauge(self, name: str, meaning: str, *labels: Label) -> Gauge:
        """What goes up and down, and is set where it changes."""
        return Gauge(name, meaning, self._enter(name, "gauge", labels, meaning), registry=self._registry)

    def live(self, name: str, meaning: str, *labels: Label) -> Live:
        """What goes up and down, and is asked for at each scrape."""
        made = Live(name, meaning, self._enter(name, "gauge", labels, meaning))
        self._registry.register(made)
        return made

    def histogram(self, name: str, meaning: str, *labels: Label, buckets: Sequence[float]) -> Histogram:
        """How often a value was at most so large; also how often in all, and their sum."""
        names = self._enter(name, "histogram", labels, meaning)
        return Histogram(name, meaning, names, registry=self._registry, buckets=buckets)

    def _enter(self, name: str, kind: str, labels: Sequence[Label], meaning: str) -> list[str]:
        assert name.startswith(PREFIX), name
        self.entries.append(Entry(name, kind, labels, meaning))
        return [label.name for label in labels]


class Book:
    """All metrics there are, by subject."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.subjects: list[Subject] = []

    def subject(self, title: str) -> Subject:
        """A new chapter."""
        self.subjects.append(Subject(title, self.registry))
        return self.subjects[-1]

    @property
    def entries(self) -> dict[str, Entry]:
        """Every metric by its name."""
        return {entry.name: entry for subject in self.subjects for entry in subject.entries}


def values(counter: Counter) -> dict[Values, float]:
    """What a counter has come to in this process, by the values of its labels."""
    samples = (sample for family in counter.collect() for sample in family.samples if sample.name.endswith("_total"))
    return {tuple(sample.labels.values()): sample.value for sample in samples}


def serve(address: str, book: Book) -> WSGIServer:
    """Answer `GET /metrics` at `host:port`, in a thread that ends with the process.

    Raises
    ------
    ValueError
        The address is no `host:port`.
    OSError
        It is taken.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"metrics are served at host:port, and {address!r} is none")
    return start_http_server(int(port), host, book.registry)[0]
