from collections import Counter

from loadgen.chaos.faults import KINDS
from loadgen.chaos.schedule import schedule


def groups(count: int, seed: int = 1) -> Counter[str]:
    return Counter(kind.group for kind in schedule(KINDS, count, seed))


def test_a_seed_decides_the_faults_and_their_order() -> None:
    assert schedule(KINDS, 50, 7) == schedule(KINDS, 50, 7)
    assert schedule(KINDS, 50, 7) != schedule(KINDS, 50, 8)


def test_of_a_thousand_faults_150_kill_processes_and_20_the_broker() -> None:
    found = groups(1000)
    assert (found.total(), found["process"], found["broker"]) == (1000, 150, 20)


def test_of_a_thousand_faults_every_kind_is_met() -> None:
    assert {kind.name for kind in schedule(KINDS, 1000, 1)} == {kind.name for kind in KINDS}


def test_a_dozen_faults_hold_every_group() -> None:
    assert groups(12).keys() == groups(1000).keys()
    assert groups(12).total() == 12


def test_what_is_left_out_leaves_its_share_to_the_others() -> None:
    kinds = [kind for kind in KINDS if kind.group in ("store", "events")]
    assert len(schedule(kinds, 40, 1)) == 40
    assert schedule([], 40, 1) == []
