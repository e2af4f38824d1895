from hypothesis import given
from hypothesis import strategies as st

from streams.jobs.tally import LABELLED, REJECTED, RoundTallies, Tally, bitmap, numbers

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


def test_an_image_of_a_newer_round_has_no_outcome_until_it_has_one_there() -> None:  # rules 2 and 6
    tallies = RoundTallies({1: bitmap([2, 3]), 2: bitmap([3])})
    tallies.of(0).rejected = bitmap([1, 2, 3])
    tallies.of(1).rejected = bitmap([2, 3])
    assert tallies.standing(5).counts() == (0, 2)
    assert tallies.missing(5) == {0: bitmap([0, 4]), 2: bitmap([3])}
    assert [tallies.round_of(image) for image in range(5)] == [0, 0, 1, 2, 0]


def test_a_label_counts_whatever_its_round() -> None:  # rule 2
    tallies = RoundTallies({1: bitmap([2])})
    tallies.of(0).labelled = bitmap([2])
    tallies.of(1).rejected = bitmap([2])
    assert tallies.standing(3).counts() == (1, 0)


def test_what_lies_beyond_the_manifest_is_not_counted() -> None:
    tallies = RoundTallies()
    tallies.of(0).labelled = bitmap([0, 7])
    assert tallies.standing(3).counts() == (1, 0)


@given(st.sets(st.integers(0, 5000)))
def test_a_bitmap_holds_exactly_its_images(images: set[int]) -> None:
    assert list(numbers(bitmap(images))) == sorted(images)


@given(st.sets(st.integers(0, 60)), st.lists(st.sets(st.integers(0, 60)), max_size=3), marks)
def test_every_image_has_one_current_round(
    rejected: set[int], rounds: list[set[int]], ticks: list[tuple[int, int]]
) -> None:
    tallies = RoundTallies({number + 1: bitmap(images) for number, images in enumerate(rounds)})
    tallies.of(0).rejected = bitmap(rejected)
    for image, outcome in ticks:
        tallies.of(image % (len(rounds) + 1)).mark(image % 61, outcome)
    labelled, refused = tallies.standing(61).counts()
    waiting = sum(images.bit_count() for images in tallies.missing(61).values())
    assert labelled + refused + waiting == 61
