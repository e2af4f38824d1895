import random

from hypothesis import given
from hypothesis import strategies as st

from streams.work.tracker import Order, Tracker


def test_an_unfinished_event_holds_the_commit_position_back() -> None:  # rule 16
    tracker: Tracker[str] = Tracker()
    first, second = tracker.take("p", 10), tracker.take("p", 11)
    tracker.finish("p", second)
    assert tracker.marks()["p"].offset == 10
    tracker.finish("p", first)
    assert tracker.marks()["p"].offset == 12


def test_what_finishes_after_a_reset_moves_nothing() -> None:  # rule 16
    tracker: Tracker[str] = Tracker()
    old = tracker.take("p", 10)
    tracker.reset({"p"})
    again = tracker.take("p", 10)
    tracker.finish("p", old)
    assert tracker.marks()["p"].offset == 10
    tracker.finish("p", again)
    assert tracker.marks()["p"].offset == 11


def test_an_offset_that_is_not_the_next_is_a_gap_or_a_repeat() -> None:  # rule 16
    tracker: Tracker[str] = Tracker()
    tracker.seed("p", 5)
    assert tracker.order("p", 6) is Order.GAP
    assert tracker.order("p", 5) is Order.NEXT
    tracker.take("p", 5)
    assert tracker.order("p", 5) is Order.AGAIN
    assert tracker.order("p", 6) is Order.NEXT
    assert tracker.order("unseeded", 99) is Order.NEXT


def test_a_seed_does_not_move_a_partition_with_work_in_flight() -> None:
    tracker: Tracker[str] = Tracker()
    tracker.take("p", 5)
    tracker.seed("p", 3)
    assert tracker.expected("p") == 6


@given(st.integers(1, 60), st.randoms())
def test_the_position_is_always_the_end_of_the_finished_prefix(count: int, rng: random.Random) -> None:  # rule 16
    tracker: Tracker[str] = Tracker()
    entries = [tracker.take("p", offset) for offset in range(count)]
    done: set[int] = set()
    for entry in rng.sample(entries, count):
        tracker.finish("p", entry)
        done.add(entry.offset)
        prefix = next(offset for offset in range(count + 1) if offset not in done)
        assert tracker.marks()["p"].offset == prefix
