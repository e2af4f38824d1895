"""Autoscaling on load curves: settled, at rest, frozen where nobody can tell, and no to and fro."""

import json
from functools import cache
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from typer.testing import CliRunner

from loadgen.cli import app
from loadgen.simulate.autoscaler import Autoscaler
from loadgen.simulate.curves import CURVES, NEVER, Curve
from loadgen.simulate.play import Costs, Moment, World, play
from loadgen.simulate.policies import backlog
from loadgen.simulate.table import Row, together, turns
from observability.scaling import BUSY, LOOKS_SECONDS, UTILISATION, WORKERS

COSTS = Costs()
curves = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
steady = pytest.mark.parametrize("curve", [each for each in CURVES if each.steady], ids=lambda curve: curve.name)
blind = pytest.mark.parametrize(
    "curve", [each for each in CURVES if each.unseen != NEVER or each.unwatched != NEVER], ids=lambda curve: curve.name
)


@cache
def played(curve: Curve) -> tuple[list[Moment], World]:
    return play(curve, backlog, COSTS)


def optimum(rate: float) -> tuple[int, int]:
    """Workers and servers for a load that stays; one of each, as long as anything comes."""
    workers, servers = rate * COSTS.worker_seconds / BUSY, rate * COSTS.model_seconds / UTILISATION
    return min(COSTS.most_workers, ceil(workers)), min(COSTS.most_servers, ceil(servers))


def before(moments: list[Moment], at: float) -> Moment:
    return [each for each in moments if each.at < at][-1]


def test_there_are_twenty_curves_and_more_of_different_names() -> None:
    assert len({curve.name for curve in CURVES}) == len(CURVES) >= 20


@steady
def test_under_a_load_that_stays_replicas_settle_within_one_of_the_optimum(curve: Curve) -> None:
    for at in curve.steady:
        found = before(played(curve)[0], at)
        workers, servers = optimum(curve.rate(found.at))
        assert abs(found.workers - workers) <= max(1, 0.1 * workers), at
        assert abs(found.servers - servers) <= max(1, 0.1 * servers), at


@steady
def test_no_backlog_stands_beside_a_load_that_stays(curve: Curve) -> None:
    for at in curve.steady:
        assert not before(played(curve)[0], at).waiting


@curves
def test_the_direction_changes_once_at_most_for_each_step_of_the_load(curve: Curve) -> None:
    moments, _ = played(curve)
    allowed = max(0, 2 * curve.rises - 1)  # up, and down again, for each rise
    assert turns([each.workers for each in moments]) <= allowed
    assert turns([each.servers for each in moments]) <= allowed


@curves
def test_in_the_end_all_is_done_and_nothing_runs(curve: Curve) -> None:
    moments, _ = played(curve)
    assert not moments[-1].waiting
    assert (moments[-1].workers, moments[-1].servers) == (0, 0)


@blind
def test_while_nobody_can_tell_nothing_is_taken_away_and_only_the_first_is_added(curve: Curve) -> None:
    moments, _ = played(curve)
    unseen = [each for each in moments if not each.seen]
    for counts in ([each.workers for each in unseen], [each.servers for each in unseen]):
        assert set(counts) == {counts[0]} or (counts[0] == 0 and set(counts) == {0, 1})


def test_the_first_replica_starts_on_the_lag_alone() -> None:
    (curve,) = (each for each in CURVES if each.name == "no Prometheus at the start")
    first = next(each for each in played(curve)[0] if each.workers and each.servers)
    assert first.at in curve.unwatched
    assert first.at <= 2 * LOOKS_SECONDS


@curves
def test_no_worker_is_taken_away_from_what_is_in_flight(curve: Curve) -> None:
    moments, _ = played(curve)
    for then, now in pairwise(moments):
        if now.workers < then.workers:
            assert now.workers >= then.served * COSTS.worker_seconds - 1e-9


def test_a_step_is_answered_at_the_next_look() -> None:
    (curve,) = (each for each in CURVES if each.name == "two steps up")
    moments, _ = played(curve)
    step = 3600.0
    settled = before(moments, step).workers
    more = next(each.at for each in moments if each.at > step and each.workers > settled)
    assert more <= step + 2 * LOOKS_SECONDS


def test_an_autoscaler_left_without_some_of_its_numbers_adds_and_takes_nothing_away() -> None:
    scaler = Autoscaler(WORKERS, 10)
    now = 0.0
    for now in range(0, 3600, 15):
        assert scaler.decide(now, 4, True, (1.0, None)) == 4
    assert scaler.decide(now + 15, 4, True, (6.0, None)) == 6
    assert scaler.decide(now + 30, 6, None, (None, None)) == 6


def told(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["simulate", *arguments])


def test_the_table_compares_the_policies_on_the_curves_that_were_asked_for() -> None:
    answer = told("a step", "a burst", "--json")
    rows = json.loads(answer.stdout)["rows"]
    assert [(row["curve"], row["policy"]) for row in rows] == [
        (curve, policy) for curve in ("a step", "a burst") for policy in ("backlog", "published")
    ]
    ours, theirs = rows[:2]
    assert ours["waited"] < theirs["waited"]
    assert ours["worker_hours"] < theirs["worker_hours"]
    assert "a burst" in told("a burst").stdout


def test_what_a_policy_asks_for_in_all_is_told_below_the_table() -> None:
    summed = {"a step": (1.0, 2.0), "a burst": (0.5, 4.0)}
    found = [
        Row(curve, policy, 0.0, waited, workers, 1.0, 0)
        for curve, (workers, waited) in summed.items()
        for policy, waited in (("backlog", waited), ("published", 3.0))
    ]
    assert together(found) == [
        "backlog: 1.5 worker-hours and 2.0 server-hours in all.",
        "published: 1.5 worker-hours and 2.0 server-hours in all.",
        "backlog waits no longer than published on 1 of 2.",
    ]


def test_a_curve_that_does_not_exist_is_named() -> None:
    answer = told("a stepp")
    assert answer.exit_code == 2
    assert "a stepp" in answer.output
