"""What was used, times what it costs: dollars by part, from a dated price file. Pure functions, but for `read`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PRICES = Path(__file__).parent / "prices"
HOUR = 3600.0
MONTH = 730 * HOUR
GIB = 2**30
"""Clouds write GB and mean this."""
MILLION = 1e6
MACHINE = "machine"
"""The type of node that one machine is by itself."""
Class = Literal["A", "B"]
Way = Literal["store", "zones", "internet"]
PARTS = ("nodes", "operations", "traffic", "storage")
WAYS: Mapping[Way, str] = {
    "store": "traffic with the store",
    "zones": "traffic between zones",
    "internet": "traffic to the internet",
}
"""Ways that bytes go, and what the cost is without where one is not measured or has no price."""


Count = Annotated[int, Field(ge=0, le=2**53)]


class BadPrices(Exception):
    """A price file can't be used; the message is a sentence."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Strict):
    """One price, and who says so."""

    dollars: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    source: Annotated[str, Field(min_length=1)]
    dated: date
    note: str = ""


class Prices(_Strict):
    """The prices at one place. A figure that isn't known is left out; one that is free is there, with 0 dollars."""

    place: str
    nodes: dict[str, Figure] = {}
    """An hour of a node, by its type."""
    operations: dict[Class, Figure] = {}
    """A million requests to the object store, by class."""
    traffic: dict[Way, Figure] = {}
    """A GiB, by the way it goes."""
    storage: dict[Literal["bucket"], Figure] = {}
    """A GiB kept for a month."""

    @property
    def dated(self) -> date | None:
        """When the oldest figure was true; none where there is none."""
        kinds: tuple[Mapping[Any, Figure], ...] = (self.nodes, self.operations, self.traffic, self.storage)
        return min((figure.dated for kind in kinds for figure in kind.values()), default=None)


class Asked(NamedTuple):
    """What a store was asked for: requests of either class, bytes sent and received."""

    a: Count = 0
    b: Count = 0
    sent: Count = 0
    received: Count = 0

    def plus(self, other: "Asked") -> "Asked":
        """Both together."""
        return Asked(*(one + more for one, more in zip(self, other, strict=True)))

    def less(self, before: "Asked") -> "Asked":
        """What has come since."""
        return Asked(*(max(0, now - then) for now, then in zip(self, before, strict=True)))


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used. An empty part is one that nobody measured, or in which there was nothing."""

    nodes: Mapping[str, float] = field(default_factory=dict)
    """Seconds, by type of node."""
    operations: Mapping[str, float] = field(default_factory=dict)
    """Requests to the object store, by class."""
    traffic: Mapping[str, float] = field(default_factory=dict)
    """Bytes, by the way they went."""
    stored: float = 0.0
    """Bytes times the seconds they were kept."""
    images: int = 0
    """That ended meanwhile."""

    def plus(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(
            _sum(self.nodes, other.nodes),
            _sum(self.operations, other.operations),
            _sum(self.traffic, other.traffic),
            self.stored + other.stored,
            self.images + other.images,
        )

    def less(self, other: "Usage") -> "Usage":
        """This without the other, which is part of it."""
        return Usage(
            _rest(self.nodes, other.nodes),
            _rest(self.operations, other.operations),
            _rest(self.traffic, other.traffic),
            max(0.0, self.stored - other.stored),
            max(0, self.images - other.images),
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars by part, and what they are without, because nobody measured it or its price isn't known."""

    parts: Mapping[str, float]
    without: tuple[str, ...] = ()

    @property
    def dollars(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


def price(usage: Usage, prices: Prices) -> Cost:
    """What a usage costs.

    What has no price is left out and named. So is a way of traffic that has a price and that nobody measured: bytes
    always go some way, while a type of node that does not occur was not there.
    """
    return Cost(parts(usage, prices), tuple(_without(usage, prices)))


def parts(usage: Usage, prices: Prices) -> dict[str, float]:
    """Dollars by part, as far as prices are known."""
    return {
        "nodes": _dollars(usage.nodes, prices.nodes, HOUR),
        "operations": _dollars(usage.operations, prices.operations, MILLION),
        "traffic": _dollars(usage.traffic, prices.traffic, GIB),
        "storage": _dollars({"bucket": usage.stored}, prices.storage, GIB * MONTH),
    }


def of_images(dollars: float, ended: int, images: float | None) -> float | None:
    """What so many images cost if each costs as much as those that ended; none while nobody can tell."""
    return dollars * images / ended if ended and images is not None else None


def words(dollars: float) -> str:
    """Dollars as people write them, with more digits where there is less.

    >>> words(1250), words(0.00123)
    ('$1,250.00', '$0.00123')
    """
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.3g}"


def read(named: str) -> Prices:
    """The prices of a file, or those that are shipped under a name.

    Parameters
    ----------
    named
        A file's path, or the name of one in `observability/prices`, without its ending.

    Raises
    ------
    BadPrices
        There is no such file, or it holds something else.
    """
    path = PRICES / f"{named}.toml" if named in shipped() else Path(named)
    try:
        return Prices.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadPrices(f"the price file {path} can't be used: {where}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        known = ", ".join(shipped())
        raise BadPrices(f"there are no prices in {named!r}: {error}; shipped are {known}") from None


def shipped() -> list[str]:
    """The names of the price files that are part of Monolayer."""
    return sorted(path.stem for path in PRICES.glob("*.toml"))


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in sorted({*one, *other})}


def _rest(all_: Mapping[str, float], part: Mapping[str, float]) -> dict[str, float]:
    return {kind: max(0, amount - part.get(kind, 0)) for kind, amount in all_.items()}


def _dollars(used: Mapping[str, float], figures: Mapping[Any, Figure], unit: float) -> float:
    return sum(amount / unit * figures[kind].dollars for kind, amount in used.items() if kind in figures)


def _without(usage: Usage, prices: Prices) -> Iterator[str]:
    if not usage.nodes or usage.nodes.keys() - prices.nodes.keys():
        yield "nodes"
    if {kind for kind, count in usage.operations.items() if count} - prices.operations.keys():
        yield "operations"
    for way, words in WAYS.items():
        figure = prices.traffic.get(way)
        unpriced = figure is None and usage.traffic.get(way)
        unmeasured = figure is not None and figure.dollars and way not in usage.traffic
        if unpriced or unmeasured:
            yield words
    if usage.stored and not prices.storage:
        yield "storage"
