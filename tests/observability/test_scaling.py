"""What the policies want: more for more work, nothing for none, and no answer where something is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability import scaling
from observability.scaling import Serving, Work, awake, by_queue, by_utilisation, capped, demand, kept

EVENTS = st.floats(0, 1e7)
SECONDS = st.floats(1e-3, 100)
SERVERS = st.integers(1, 64)
SHARES = st.floats(0, 1)
UNKNOWN = st.none() | EVENTS


@given(EVENTS, EVENTS, SECONDS, st.floats(0, 1e6))
def test_more_work_never_wants_fewer_workers(waiting: float, arriving: float, seconds: float, more: float) -> None:
    before, busier, fuller = (
        demand(Work(waiting, arriving, seconds)),
        demand(Work(waiting, arriving + more, seconds)),
        demand(Work(waiting + more, arriving, seconds)),
    )
    assert before is not None and busier is not None and fuller is not None
    assert before <= busier
    assert before <= fuller


@given(st.floats(0.01, 1e4), SECONDS)
def test_what_comes_keeps_its_workers_without_a_standing_backlog(arriving: float, seconds: float) -> None:
    wanted = demand(Work(0, arriving, seconds))
    assert wanted is not None
    assert wanted / seconds == pytest.approx(arriving / scaling.BUSY)


@given(st.floats(1, 1e6), SECONDS)
def test_a_backlog_is_gone_in_the_time_it_should_take(waiting: float, seconds: float) -> None:
    wanted = demand(Work(waiting, 0, seconds))
    assert wanted is not None
    assert waiting * seconds / wanted == pytest.approx(scaling.DRAIN_SECONDS)


@given(st.none() | SECONDS)
def test_nothing_to_do_wants_nobody_even_before_anything_was_measured(seconds: float | None) -> None:
    assert demand(Work(0, 0, seconds)) == 0


@given(UNKNOWN, UNKNOWN, st.none() | SECONDS)
def test_a_number_is_wanted_only_where_all_that_it_follows_from_is_known(
    waiting: float | None, arriving: float | None, seconds: float | None
) -> None:
    known = waiting is not None and arriving is not None
    wanted = demand(Work(waiting, arriving, seconds))
    assert (wanted is None) == (not known or (seconds is None and bool(waiting or arriving)))


@given(EVENTS)
def test_whatever_waits_wakes_one_and_only_that(waiting: float) -> None:
    assert awake(waiting) == (waiting > 0)
    assert awake(None) is None


@given(EVENTS, st.integers(0, 64), st.integers(1, 12))
def test_workers_that_are_full_are_kept(wanted: float, full: int, slots: int) -> None:
    assert (kept(wanted, full * slots, slots) or 0) >= full
    assert kept(wanted, 0, slots) == wanted
    assert kept(None, full, slots) is None


@given(EVENTS, st.integers(0, 64), st.floats(0.1, 50))
def test_there_are_no_more_workers_than_servers_take_and_always_one_to_see_them_come(
    wanted: float, ready: int, each: float
) -> None:
    allowed = capped(wanted, ready, each)
    assert allowed is not None
    assert allowed <= max(1.0, ready * each)
    assert allowed == wanted or allowed >= 1
    assert capped(None, ready, each) is None


@given(SERVERS, SHARES)
def test_servers_settle_where_their_gpus_are_as_busy_as_they_should_be(ready: int, busy: float) -> None:
    wanted = by_utilisation(Serving(ready, busy, None, None))
    assert wanted is not None
    assert wanted == ready + 1 or wanted * scaling.UTILISATION == pytest.approx(ready * busy)
    assert busy == pytest.approx(scaling.UTILISATION) or (wanted > ready) == (busy > scaling.UTILISATION)


@given(SERVERS, st.floats(0, 1e6), st.floats(1e-3, 1e6))
def test_a_queue_asks_for_one_more_server_and_a_short_one_for_none(ready: int, queued: float, computed: float) -> None:
    wanted = by_queue(Serving(ready, None, queued, computed))
    assert wanted is not None
    assert wanted <= ready + 1
    ratio = queued / computed
    assert ratio == pytest.approx(scaling.QUEUE_RATIO) or (wanted > ready) == (ratio > scaling.QUEUE_RATIO)


def test_servers_that_rest_are_wanted_by_nobody() -> None:
    assert by_queue(Serving(3, 0, 0, 0)) == by_utilisation(Serving(3, 0, 0, 0)) == 0


@pytest.mark.parametrize("serving", [Serving(3, None, None, None), Serving(0, 0.5, 1.0, 1.0)])
def test_servers_of_which_nothing_is_known_are_left_as_they_are(serving: Serving) -> None:
    assert by_utilisation(serving) is None
    assert by_queue(serving) is None


@pytest.mark.parametrize(
    ("current", "gpu", "keys", "servers", "wanted"),
    [
        (10, 85, 1000, 1, 10),  # idle by just the target: as many as there are
        (10, 70, 1000, 1, 20),  # half as busy as the target allows: twice as many
        (10, 0, 1, 1, 1 / 0.15),  # few keys: no more than they keep at work
        (150, 85, 1e6, 1, 150),
        (151, 86.5, 1e6, 1, 151),  # a crowd: the lower target
        (0, 0, 1, 0, 1 / 0.15),  # from zero
    ],
)
def test_the_published_policy_is_as_published(
    current: int, gpu: float, keys: float, servers: int, wanted: float
) -> None:
    assert scaling.published_consumers(current, gpu, keys, servers) == pytest.approx(wanted)


def test_the_published_policy_too_leaves_what_is_not_known_as_it_is() -> None:
    assert scaling.published_consumers(10, None, 5, 1) is None
    assert scaling.published_consumers(10, 50, None, 1) is None


@pytest.mark.parametrize("pace", [scaling.WORKERS, scaling.SERVERS])
def test_nothing_is_taken_away_sooner_than_it_could_be_started_anew(pace: scaling.Pace) -> None:
    assert pace.waits > pace.starting + 2 * scaling.LOOKS_SECONDS
    assert scaling.drain_seconds(scaling.WORKERS, pace) >= pace.starting
