"""Which zip is due when: decided before anything is sent, so that no answer can change it."""

from collections.abc import Iterator
from itertools import count

from loadgen.run.plan import Due, Plan

WARMUP = -1
"""The number of the repeat before the first."""


def schedule(plan: Plan) -> list[list[Due]]:
    """The zips that warm up, if any, which are all due at once; then those of each repeat, by the delay."""
    numbers, whole = count(), [plan.zip_size]
    repeats = [(WARMUP, whole * plan.warmup, 0.0)] if plan.warmup else []
    repeats += [(repeat, _sizes(plan), plan.delay) for repeat in range(plan.repeats)]
    return [list(_repeat(plan, number, sizes, delay, numbers)) for number, sizes, delay in repeats]


def _repeat(plan: Plan, repeat: int, sizes: list[int], delay: float, numbers: Iterator[int]) -> Iterator[Due]:
    for place, images in enumerate(sizes):
        number = next(numbers)
        yield Due(number, repeat, place * delay, number * plan.zip_size, images, number % plan.tenants)


def _sizes(plan: Plan) -> list[int]:
    whole, rest = divmod(plan.images, plan.zip_size)
    return [plan.zip_size] * whole + ([rest] if rest else [])
