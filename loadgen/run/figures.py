"""The figures of a run, from its rows alone: counts, throughput, latency, phases, backlog. Pure functions."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.run.journal import Sample
from loadgen.run.phases import UNMEASURED
from loadgen.run.rows import Row

PERCENTILES = (50, 90, 95, 99)
BINS = 40
"""Of a histogram; logarithmic, as latencies are."""
POINTS = 120
"""Of a series over time, at most."""


def counts(rows: Sequence[Row]) -> dict[str, Any]:
    """How many images were due, and what became of them; together the fates are those that were due."""
    reasons = Counter(row.reason for row in rows if row.reason)
    fates = Counter(row.fate for row in rows)
    attempts = Counter(str(row.attempts) for row in rows if row.attempts)
    return {"due": len(rows), "fates": dict(fates), "reasons": dict(reasons), "attempts": dict(attempts)}


def span(rows: Sequence[Row]) -> float:
    """Seconds from when the first image was due to the last end; 0 where none has ended."""
    ends = _ended(rows)
    return max(row.ended for row in ends) - min(row.due for row in rows) if ends else 0.0


def throughput(rows: Sequence[Row]) -> float:
    """Labelled images a second, over the whole span."""
    labelled, seconds = sum(row.fate == "labelled" for row in rows), span(rows)
    return labelled / seconds if seconds else 0.0


def latency(rows: Sequence[Row]) -> dict[str, float]:
    """Percentiles of the seconds from when an image was due to its end, of those that have ended."""
    return percentiles([row.latency for row in _ended(rows)])


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Mean, percentiles and the largest; nothing of nothing."""
    if not seconds:
        return {}
    values = np.asarray(seconds)
    found = {f"p{each}": float(np.percentile(values, each)) for each in PERCENTILES}
    return {"mean": float(values.mean()), **found, "max": float(values.max())}


def by_phase(rows: Sequence[Row], finer: bool = False) -> dict[str, dict[str, float]]:
    """Percentiles of each phase over all images that ended, in the order in which an image comes to them."""
    found = _phases(rows, finer)
    return {name: percentiles(values) for name, values in found.items()}


def accounted(rows: Sequence[Row]) -> float:
    """What part of all latencies was measured, phase by phase."""
    whole = sum(row.latency for row in _ended(rows))
    return sum(row.accounted for row in _ended(rows)) / whole if whole else 0.0


def histogram(seconds: Sequence[float]) -> dict[str, list[float]]:
    """Edges and counts; bins grow by a constant factor. What took no time is in the first."""
    values = np.asarray([value for value in seconds if value > 0.0])
    if not values.size:
        return {"edges": [], "counts": []}
    low, high = float(values.min()), float(values.max()) * 1.0001
    edges = np.geomspace(low, max(high, low * 1.1), BINS + 1)
    numbers, _ = np.histogram(values, edges)
    numbers[0] += len(seconds) - values.size
    return {"edges": edges.tolist(), "counts": [float(each) for each in numbers]}


def histograms(rows: Sequence[Row]) -> dict[str, dict[str, list[float]]]:
    """Of the latency, and of each phase."""
    ended = _ended(rows)
    found = {"latency": [row.latency for row in ended]} | _phases(rows, False) | _phases(rows, True)
    return {name: histogram(values) for name, values in found.items()}


def over_time(rows: Sequence[Row]) -> dict[str, list[float]]:
    """Seconds since the first was due; images due and ended a second in the interval before; images due and not ended.

    The backlog counts from when an image was due, so it is what the schedule is ahead of the system by.
    """
    ends = sorted(row.ended for row in _ended(rows))
    dues = sorted(row.due for row in rows)
    if not ends:
        return {"seconds": [], "due_per_second": [], "ended_per_second": [], "backlog": []}
    moments = np.linspace(dues[0], ends[-1], min(POINTS, max(2, int(ends[-1] - dues[0]))) + 1)
    due, ended = (np.searchsorted(times, moments, "right") for times in (dues, ends))
    width = max(float(moments[1] - moments[0]), 1e-9)
    due_before, ended_before = np.concatenate([[0], due[1:-1]]), np.concatenate([[0], ended[1:-1]])
    return {
        "seconds": _listed(moments[1:] - dues[0]),
        "due_per_second": _listed((due[1:] - due_before) / width),
        "ended_per_second": _listed((ended[1:] - ended_before) / width),
        "backlog": _listed(due[1:] - ended[1:]),
    }


def cpu_seconds(samples: Sequence[Sample], rows: Sequence[Row]) -> dict[str, float]:
    """CPU seconds of each process while these images were due or on their way; a restart begins at zero again."""
    ended = _ended(rows)
    if not ended:
        return {}
    begun, until = min(row.due for row in rows), max(row.ended for row in ended)
    inside = [sample for sample in samples if begun <= sample.at <= until]
    seconds: dict[str, float] = defaultdict(float)
    for before, after in pairwise(inside):
        for name, now in after.seconds.items():
            then = before.seconds.get(name, 0.0)
            seconds[name] += now - then if now >= then else now
    watched = inside[-1].at - inside[0].at if len(inside) > 1 else 0.0
    scale = (until - begun) / watched if watched else 0.0  # samples begin and end a little inside
    return {name: each * scale for name, each in sorted(seconds.items())}


def _phases(rows: Sequence[Row], finer: bool) -> dict[str, list[float]]:
    ended = _ended(rows)
    told = [row.finer if finer else row.spent for row in ended]
    return {name: [each.get(name, 0.0) for each in told] for name in _names(told)}


def _names(told: Sequence[Mapping[str, float]]) -> list[str]:
    """Every phase once, in the order of the image that has most of them; what nobody measured comes last."""
    longest = max(told, key=len, default={})
    others = {name: None for each in told for name in each}
    return sorted(dict.fromkeys([*longest, *others]), key=lambda name: name == UNMEASURED)


def _ended(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.has_ended]


def _listed(values: "NDArray[Any]") -> list[float]:
    return [round(float(each), 4) for each in values]
