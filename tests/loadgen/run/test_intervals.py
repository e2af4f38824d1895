import pytest

from loadgen.run.intervals import chance, interval, ratio_interval

SLOW, FAST = [10.0, 10.2, 9.9, 10.1], [12.0, 12.1, 11.8, 12.2]


def test_a_difference_beyond_the_noise_is_no_chance() -> None:
    assert chance(SLOW, FAST) == pytest.approx(2 / 70)  # one of all divisions, and the other way round
    low, high = ratio_interval(SLOW, FAST) or (0, 0)
    assert low < 12.025 / 10.05 < high
    assert low > 1.15


def test_three_repeats_are_too_few_whatever_they_say() -> None:
    assert chance(SLOW[:3], FAST[:3]) == pytest.approx(0.1)


def test_the_same_twice_is_chance() -> None:
    assert chance(SLOW, SLOW) == 1.0


def test_many_repeats_are_divided_by_chance_and_found_different_all_the_same() -> None:
    assert chance(SLOW * 3, FAST * 3) < 0.001


def test_one_repeat_has_no_interval() -> None:
    assert interval([1.0]) is None
    assert ratio_interval([1.0], FAST) is None
    assert ratio_interval([0.0, 0.0], FAST) is None


def test_an_interval_holds_the_mean_and_lies_within_the_values() -> None:
    low, high = interval(SLOW) or (0, 0)
    assert 9.9 <= low < 10.05 < high <= 10.2
