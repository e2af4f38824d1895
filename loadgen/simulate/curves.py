"""Load curves: what comes when, and what goes wrong meanwhile. Each ends in silence, so that all must come to rest."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sin

MINUTE = 60.0
REST = 40 * MINUTE
"""Silence at the end of every curve: longer than all waits before the last replica goes."""
Rate = Callable[[float], float]
"""Events a second at a time."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one second on until another."""

    begin: float
    end: float

    def __contains__(self, at: float) -> bool:
        return self.begin <= at < self.end


NEVER = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """What is played."""

    name: str
    rate: Rate
    lasts: float
    """Seconds until nothing comes any more."""
    rises: int = 1
    """How often the load becomes more: each rise may be followed by one fall of the replicas."""
    steady: tuple[float, ...] = ()
    """When the load has been the same for long enough that the replicas must have settled."""
    unseen: Span = NEVER
    """While no metric is to be had, Kafka's lag included."""
    unwatched: Span = NEVER
    """While Prometheus is away, and Kafka's lag is to be had."""
    reclaimed: tuple[float, int] = (0.0, 0)
    """When nodes are taken away, and how many model servers with them."""
    starting: float = 1.0
    """How much longer than usual everything takes to start."""


def level(rate: float, begin: float = 0.0, end: float = float("inf")) -> Rate:
    """The same all the time, between two moments."""
    return lambda at: rate if begin <= at < end else 0.0


def ramp(low: float, high: float, seconds: float) -> Rate:
    """From one rate to another in a line, and then that."""
    return lambda at: low + (high - low) * min(1.0, at / seconds)


def wave(middle: float, swing: float, period: float) -> Rate:
    """Up and down, as days are."""
    return lambda at: middle + swing * sin(2 * pi * at / period)


def zips(images: float, seconds: float, every: float = float("inf")) -> Rate:
    """An archive's images, announced within some seconds; and another one, every so often."""
    return lambda at: images / seconds if at % every < seconds else 0.0


def both(one: Rate, other: Rate) -> Rate:
    """Two loads at the same time."""
    return lambda at: one(at) + other(at)


def rough(rate: float, swing: float) -> Rate:
    """Uneven from second to second, the same each time it is played."""
    return lambda at: rate * (1 + swing * sin(at * 1.7) * sin(at * 0.37 + 1))


HOUR = 60 * MINUTE
_LATE = (HOUR - 1, 2 * HOUR)
"""Before something happens after an hour, and at the end of two."""
CURVES = (
    Curve("silence", level(0), HOUR, rises=0),
    Curve("one image", zips(1, 5), HOUR),
    Curve("an image a minute", zips(1, 5, MINUTE), HOUR, steady=(HOUR,)),
    Curve("a small step", level(5), HOUR, steady=(0.5 * HOUR, HOUR)),
    Curve("a step", level(40), HOUR, steady=(0.6 * HOUR, HOUR)),
    Curve("a large step", level(150), HOUR, steady=(HOUR,)),
    Curve("two steps up", both(level(20), level(60, HOUR)), 2 * HOUR, rises=2, steady=_LATE),
    Curve("a step down", both(level(20), level(60, 0, HOUR)), 2 * HOUR, steady=_LATE),
    Curve("more than there may be", level(300), 0.25 * HOUR),
    Curve("a burst", level(60, 0, 120), 120),
    Curve(
        "a burst over a load",
        both(level(20), level(80, HOUR, HOUR + 120)),
        2 * HOUR,
        rises=2,
        steady=_LATE,
    ),
    Curve("a zip of 1,000", zips(1_000, 10), 10),
    Curve("a zip of 10,000", zips(10_000, 60), 60),
    Curve("a zip of 100,000", zips(100_000, 300), 300),
    Curve("zips over a load", both(level(10), zips(3_000, 20, HOUR)), 2 * HOUR, rises=2, steady=_LATE),
    Curve("three zips an hour apart", zips(5_000, 30, HOUR), 3 * HOUR, rises=3),
    Curve("a ramp up", ramp(0, 80, HOUR), 2 * HOUR, steady=(2 * HOUR,)),
    Curve("a ramp down", ramp(80, 5, HOUR), 2 * HOUR, steady=(2 * HOUR,)),
    Curve("slow waves", wave(40, 35, 2 * HOUR), 4 * HOUR, rises=3),
    Curve("quick waves", wave(40, 20, 2 * MINUTE), HOUR),
    Curve("an uneven load", rough(40, 0.5), HOUR, steady=(0.6 * HOUR, HOUR)),
    Curve("no metrics under load", level(40), HOUR, steady=(0.6 * HOUR, HOUR), unseen=Span(2400, 3000)),
    Curve("no metrics as work ends", level(40), 0.5 * HOUR, unseen=Span(1700, 2600)),
    Curve("no Prometheus at the start", level(40), HOUR, steady=(HOUR,), unwatched=Span(0, 600)),
    Curve("no Prometheus at rest", level(0), HOUR, rises=0, unwatched=Span(600, 1200)),
    Curve("one node reclaimed", level(40), HOUR, steady=(HOUR,), reclaimed=(2000, 1)),
    Curve("all nodes reclaimed", level(40), 1.5 * HOUR, rises=2, steady=(1.5 * HOUR,), reclaimed=(2400, 99)),
    Curve("a slow start", level(40), 1.5 * HOUR, steady=(1.5 * HOUR,), starting=2.0),
)
