"""Which faults, in which order: decided by the seed alone."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from loadgen.chaos.world import Kind

SHARES: Mapping[str, float] = {"process": 0.15, "broker": 0.02, "store": 0.33, "model": 0.22, "events": 0.28}
"""Of all faults, by group. A dead process costs seconds of everybody's work, a dead broker more."""


def schedule(kinds: Sequence[Kind], count: int, seed: int) -> list[Kind]:
    """So many faults of these kinds in the order in which they are injected.

    Each group has its share, whatever was left out; in a group no kind comes again before every other came as often
    as its weight says.

    Parameters
    ----------
    kinds
        What there is.
    count
        How many in all.
    seed
        The same seed gives the same faults.
    """
    random = Random(seed)
    groups: dict[str, list[Kind]] = defaultdict(list)
    for kind in kinds:
        groups[kind.group] += [kind] * kind.weight
    if not groups:
        return []
    chosen: list[Kind] = []
    for group, quota in _quotas(sorted(groups), count).items():
        turns = _turns(groups[group], random)
        chosen += [next(turns) for _ in range(quota)]
    random.shuffle(chosen)
    return chosen


def _quotas(groups: Sequence[str], count: int) -> dict[str, int]:
    """By share, the costly groups rounded up so that few faults hold one of each, the largest takes what is left."""
    whole = sum(SHARES[group] for group in groups)
    quotas, left = {}, count
    for group in sorted(groups, key=lambda group: SHARES[group]):
        quotas[group] = min(left, math.ceil(count * SHARES[group] / whole - 1e-9))
        left -= quotas[group]
    return quotas


def _turns(kinds: Sequence[Kind], random: Random) -> Iterator[Kind]:
    while True:
        yield from random.sample(kinds, len(kinds))
