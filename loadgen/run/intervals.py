"""What a few repeats can tell: intervals by the bootstrap, and whether two sets differ by more than chance."""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
RESAMPLES = 10_000
SURE = 0.05
"""A difference that chance alone makes less often is believed."""
MOST_EXACT = 200_000
"""Divisions of the repeats that are all tried; of more, so many by chance."""


def interval(values: Sequence[float], sure: float = SURE) -> tuple[float, float] | None:
    """Where the mean of further repeats lies; none of fewer than two. Percentile bootstrap (Efron 1979), seeded."""
    if len(values) < 2:
        return None
    means = _means(np.asarray(values, float), np.random.default_rng(0))
    low, high = np.percentile(means, (100 * sure / 2, 100 - 100 * sure / 2))
    return float(low), float(high)


def ratio_interval(before: Sequence[float], after: Sequence[float], sure: float = SURE) -> tuple[float, float] | None:
    """Where the mean after over that before lies; none of fewer than two of either, or of what is not positive."""
    if min(len(before), len(after)) < 2 or min(*before, *after) <= 0:
        return None
    rng = np.random.default_rng(0)
    ratios = _means(np.asarray(after, float), rng) / _means(np.asarray(before, float), rng)
    low, high = np.percentile(ratios, (100 * sure / 2, 100 - 100 * sure / 2))
    return float(low), float(high)


def chance(before: Sequence[float], after: Sequence[float]) -> float:
    """How often the means of the same repeats, divided by chance, differ at least as much: 1 of 1 is 1.

    The permutation test (Fisher 1935) assumes nothing of how the values are spread. With three repeats of each it can't
    go below 0.1, with four not below 0.03: so few can't be believed, and it says so by itself.
    """
    pool, first = np.asarray([*before, *after], float), len(before)
    if not first or first == len(pool):
        return 1.0
    seen = abs(float(np.mean(after)) - float(np.mean(before)))
    sums = _sums(pool, first)
    others = (pool.sum() - sums) / (len(pool) - first)
    return float(np.mean(np.abs(others - sums / first) >= seen * (1 - 1e-9)))


def _sums(pool: Values, first: int) -> Values:
    """The sums of all ways to choose so many of the pool, or of many by chance."""
    if comb(len(pool), first) <= MOST_EXACT:
        return np.asarray([pool[list(chosen)].sum() for chosen in combinations(range(len(pool)), first)])
    rng = np.random.default_rng(0)
    return np.asarray([rng.permutation(pool)[:first].sum() for _ in range(RESAMPLES)])


def _means(values: Values, rng: np.random.Generator) -> Values:
    means: Values = rng.choice(values, (RESAMPLES, len(values))).mean(axis=1)
    return means
