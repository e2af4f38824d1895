from pathlib import Path

from loadgen.chaos.images import Archive, Member, Nature
from loadgen.chaos.judge import Ends, Verdict, judge

ARCHIVE = Archive(Path("a.zip"), [Member(0, Nature.HEALTHY), Member(9, Nature.DAMAGED), Member(18, Nature.KILLER)])
REFERENCE = {0: "as it was", 2: "as it was"}
BAD = {"reason": "bad_input", "message": "cut short", "attempts": 1}
KILLED = {"reason": "killed", "message": "three workers died", "attempts": 3}
GOOD = Ends({0: "as it was"}, {1: BAD, 2: KILLED})


def verdict(ends: Ends) -> Verdict:
    return judge("j", ends, ARCHIVE, REFERENCE)


def test_images_that_ended_as_they_are_give_nothing_to_complain_about() -> None:
    found = verdict(GOOD)
    assert (found.images, found.labelled, found.rejected) == (3, 1, 2)
    assert not [*found.lost, *found.differing, *found.misjudged]


def test_an_image_without_an_end_is_lost() -> None:
    assert verdict(Ends({}, GOOD.rejections)).lost == ["image 0 of job j has neither labels nor a rejection."]


def test_other_label_bytes_than_in_the_undisturbed_run_are_a_difference() -> None:
    assert len(verdict(Ends({0: "other"}, GOOD.rejections)).differing) == 1


def test_a_healthy_image_that_was_rejected_is_named_with_its_reason() -> None:
    [sentence] = verdict(Ends({}, {0: KILLED, **GOOD.rejections})).misjudged
    assert "healthy" in sentence
    assert "killed: three workers died" in sentence


def test_a_damaged_image_that_was_labelled_is_misjudged() -> None:
    assert verdict(Ends({0: "as it was", 1: "x"}, {2: KILLED})).misjudged == [
        "image 1 of job j is damaged, and was labelled."
    ]


def test_a_killer_that_took_more_than_three_attempts_is_misjudged() -> None:
    [sentence] = verdict(Ends(GOOD.labels, {1: BAD, 2: {**KILLED, "attempts": 4}})).misjudged
    assert "only after 4 attempts" in sentence
