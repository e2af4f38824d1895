import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from loadgen.chaos.completions import Completions
from loadgen.chaos.holdings import Holdings, Reading
from loadgen.chaos.records import Record
from storage import keys


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    yield now


def outcome(image: int, topic: str = "outcomes") -> Record:
    return Record(topic, 0, image, b"j", json.dumps({"job": "j", "image": image}).encode(), [])


def heard(clock: list[float], *moments: float) -> Completions:
    completions = Completions()
    for image, moment in enumerate(moments):
        clock[0] = moment
        completions.hear(outcome(image))
    return completions


def test_an_image_that_is_said_to_have_ended_twice_counts_once(clock: list[float]) -> None:
    completions = heard(clock, 101)
    completions.hear(outcome(0))
    completions.hear(outcome(1, topic="images.bulk"))
    completions.hear(Record("outcomes", 0, 1, None, b"junk", []))
    assert (completions.total, completions.count("j")) == (1, 1)


def test_the_longest_gap_counts_from_the_beginning_and_up_to_the_end(clock: list[float]) -> None:
    completions = heard(clock, 101, 104, 105)
    assert completions.longest_gap(100, 105) == 3
    assert completions.longest_gap(96, 105) == 5
    assert completions.longest_gap(100, 112) == 7


def test_the_first_image_after_a_moment_tells_when_work_went_on(clock: list[float]) -> None:
    completions = heard(clock, 101, 104)
    assert completions.first_after(101) == 104
    assert completions.first_after(104) is None


def holdings(completions: Completions, objects: Path = Path("nowhere")) -> Holdings:
    return Holdings(cast(Any, SimpleNamespace(objects=objects)), completions, lambda key, start: None)


def test_what_is_labelled_is_held_by_nobody_though_no_one_was_told(clock: list[float], tmp_path: Path) -> None:
    found = holdings(heard(clock), tmp_path)
    found.readings = {("j", 0): [Reading(7, 104)], ("j", 1): [Reading(7, 104)]}
    (tmp_path / keys.labels("j", 1)).parent.mkdir(parents=True)
    (tmp_path / keys.labels("j", 1)).touch()
    assert found.held(7) == {("j", 0)}


def test_a_process_holds_what_it_read_last_and_did_not_end(clock: list[float]) -> None:
    found = holdings(heard(clock, 105))
    mine, others = [Reading(7, 104)], [Reading(7, 104), Reading(8, 105)]
    found.readings = {("j", 0): [*mine], ("j", 1): [*mine], ("j", 2): others, ("k", 0): [*mine]}
    assert found.held(7) == {("j", 1), ("k", 0)}


def test_what_was_given_back_to_the_queue_is_in_nobodys_hands_until_it_is_begun_again(clock: list[float]) -> None:
    found = holdings(heard(clock))
    found.readings = {("j", 0): [Reading(7, 104)], ("j", 1): [Reading(7, 104)]}
    clock[0] = 105
    for image, again in ((0, True), (1, False)):
        event = {"job": "j", "image": image, "again": again}
        found.hear(Record("images.bulk", 0, image, b"j", json.dumps(event).encode(), []))
    assert found.held(7) == {("j", 1)}
    found.readings["j", 0].append(Reading(7, 106))
    assert found.held(7) == {("j", 0), ("j", 1)}


def test_an_image_is_in_other_hands_when_another_reads_it_or_it_ends(clock: list[float]) -> None:
    found = holdings(heard(clock, 112))
    both = {("j", 0), ("j", 1)}
    found.readings = {image: [Reading(7, 104)] for image in both}
    assert found.taken_over(both, 7, since=110) == [112]
    found.readings["j", 1].append(Reading(8, 115))
    assert found.taken_over(both, 7, since=110) == [112, 115]
    found.queued["j", 1] = 113
    assert found.taken_over(both, 7, since=110) == [112, 113]
