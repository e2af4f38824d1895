from hypothesis import given
from hypothesis import strategies as st

from streams.tally import LABELLED, REJECTED, Tally

marks = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from([LABELLED, REJECTED])))


def tally_of(ticks: list[tuple[int, int]]) -> Tally:
    tally = Tally()
    for image, outcome in ticks:
        tally.mark(image, outcome)
    return tally


@given(marks)
def test_a_tally_survives_being_stored(ticks: list[tuple[int, int]]) -> None:
    tally = tally_of(ticks)
    assert Tally.decode(tally.encode()).counts() == tally.counts()


@given(marks, marks)
def test_merging_two_owners_counts_nothing_twice(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    merged = tally_of(one)
    merged.merge(tally_of(other))
    assert merged.counts() == tally_of(one + other).counts()


def test_labelled_wins_over_rejected() -> None:  # rule 2
    assert tally_of([(7, REJECTED), (7, LABELLED)]).counts() == (1, 0)
