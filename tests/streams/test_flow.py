"""Rates and seconds of backlog, from what a broker tells now and then."""

import pytest

from streams.flow import Flow
from streams.kafka import Position

ONE, TWO = ("images.bulk", 0), ("images.bulk", 1)


def seen(*looks: tuple[float, int, int | None], begin: int = 0) -> Flow:
    """A flow of one partition after looks at (seconds, end, committed)."""
    flow = Flow()
    for at, end, committed in looks:
        flow.see(at, {ONE: Position(begin, end, committed)})
    return flow


def test_one_look_tells_the_lag_and_no_rate() -> None:
    flow = seen((0, 7, 3))
    assert (flow.lag, flow.arrival, flow.service, flow.backlog) == (4, None, None, None)


def test_what_was_never_committed_counts_from_the_logs_beginning() -> None:
    assert seen((0, 7, None), begin=2).lag == 5


def test_rates_are_means_over_all_partitions() -> None:
    flow = Flow()
    flow.see(0, {ONE: Position(0, 10, 0), TWO: Position(0, 10, 5)})
    flow.see(10, {ONE: Position(0, 40, 20), TWO: Position(0, 20, 15)})
    assert (flow.arrival, flow.service, flow.lag) == (4.0, 3.0, 25)


def test_a_rebalance_changes_no_mean_though_commits_stand_still_and_then_jump() -> None:
    steady = [(float(at), 1000, 10 * at) for at in range(20)]
    flow = seen(*steady, *((at, 1000, 190) for at in range(20, 29)), (29.0, 1000, 290))
    assert flow.service == 10.0
    assert flow.backlog == pytest.approx(71.0)


def test_what_happened_before_the_window_is_forgotten() -> None:
    flow = seen((0, 1000, 0), (10, 1000, 900), (39, 1000, 910), (41, 1000, 911))
    assert flow.service == pytest.approx(0.5)


def test_a_group_that_was_set_back_has_not_served_less_than_nothing() -> None:
    flow = seen((0, 100, 50), (1, 100, 20), (2, 100, 30))
    assert (flow.service, flow.lag) == (5.0, 70)


def test_what_went_from_the_log_unread_waits_no_more_and_was_not_served() -> None:
    flow = Flow()
    flow.see(0, {ONE: Position(0, 100, 10)})
    flow.see(1, {ONE: Position(90, 100, 10)})
    assert (flow.lag, flow.service) == (10, 0.0)
    flow.see(2, {ONE: Position(90, 100, 94)})
    assert (flow.lag, flow.service) == (6, 2.0)


def test_a_first_commit_counts_from_the_logs_beginning() -> None:
    assert seen((0, 10, None), (1, 10, 6)).service == 6.0


def test_a_partition_that_is_new_has_all_its_events_arrived() -> None:
    flow = Flow()
    flow.see(0, {ONE: Position(0, 1, 1)})
    flow.see(1, {ONE: Position(0, 1, 1), TWO: Position(0, 8, None)})
    assert flow.arrival == 8.0


def test_an_outage_longer_than_the_window_leaves_no_rate_from_before() -> None:
    flow = seen((0, 10, 0), (1, 20, 10), (100, 5000, 4000))
    assert (flow.arrival, flow.service) == (None, None)


def test_without_lag_there_is_no_backlog_whatever_was_served() -> None:
    assert seen((0, 5, 5)).backlog == 0.0


def test_lag_at_which_nobody_was_ever_seen_to_work_has_no_seconds() -> None:
    assert seen((0, 5, 0), (1, 5, 0)).backlog is None


def test_seconds_per_event_are_remembered_while_nothing_is_served() -> None:
    flow = seen((0, 100, 0), (1, 100, 10), (60, 1000, 10))
    assert flow.backlog == pytest.approx(99.0)


def test_a_stall_does_not_make_events_look_slow_before_it_is_over() -> None:
    assert seen((0, 100, 0), (1, 100, 10), (11, 100, 10)).backlog == pytest.approx(9.0)
    assert seen((0, 100, 0), (1, 100, 10), (11, 100, 10), (12, 100, 20)).backlog == pytest.approx(80 * 12 / 20)


def test_an_idle_time_does_not_make_what_follows_look_slow() -> None:
    idle = [(float(at), 10, 10) for at in range(20)]
    flow = seen(*idle, (20, 1010, 10), (21, 1010, 60), (22, 1010, 110))
    assert flow.service == pytest.approx(100 / 22)
    assert flow.backlog == pytest.approx(900 / 50)


def test_a_group_that_always_keeps_up_is_judged_by_its_rate_until_more_is_known() -> None:
    flow = seen((0, 0, 0), (1, 4, 4), (2, 10, 8))
    assert flow.backlog == pytest.approx(2 / 4)
