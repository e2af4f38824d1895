import numpy as np
import pytest

from inference.scoring import average_precision, f1, f1_at

TRUTH = np.zeros((20, 20), np.int32)
TRUTH[2:8, 2:8] = 1
TRUTH[10:16, 10:16] = 7


def test_the_truth_itself_scores_one_whatever_its_numbers() -> None:
    assert f1(TRUTH, np.where(TRUTH == 7, 1, TRUTH * 5)) == 1.0


def test_nothing_found_scores_nothing_and_nothing_to_find_scores_one() -> None:
    empty = np.zeros_like(TRUTH)
    assert f1(TRUTH, empty) == f1(empty, TRUTH) == 0.0
    assert f1(empty, empty) == 1.0


def test_one_missed_and_one_invented_object_of_two_score_half() -> None:
    found = np.where(TRUTH == 1, 1, 0)
    found[18:, 18:] = 2
    assert f1(TRUTH, found) == 0.5


def test_merged_objects_count_as_missed() -> None:
    assert f1(TRUTH, (TRUTH > 0).astype(np.int32)) == 0.0


def test_an_object_must_overlap_by_more_than_the_threshold() -> None:
    half, most = np.zeros_like(TRUTH), np.zeros_like(TRUTH)
    half[2:5, 2:8] = 1  # 18 of 36 px
    most[2:7, 2:8] = 1  # 30 of 36 px
    assert f1(np.where(TRUTH == 1, 1, 0), half) == 0.0
    assert f1(np.where(TRUTH == 1, 1, 0), most, iou=0.8) == 1.0
    assert f1(np.where(TRUTH == 1, 1, 0), most, iou=0.9) == 0.0


def test_precision_follows_from_the_scores() -> None:
    half = np.where(TRUTH == 1, 1, 0)  # one of two found: 1 hit, 1 missed
    assert f1_at(TRUTH, half, (0.5, 0.9)) == [2 / 3, 2 / 3]
    assert average_precision([2 / 3, 0.0]) == pytest.approx((0.5 + 0) / 2)


def test_an_image_full_of_one_object_has_no_background_and_scores_all_the_same() -> None:
    full = np.ones((5, 5), np.int32)
    assert f1(full, full * 3) == 1.0


def test_wrong_shapes_and_ambiguous_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="truth has shape"):
        f1(TRUTH, TRUTH[1:])
    with pytest.raises(ValueError, match="unique matches"):
        f1(TRUTH, TRUTH, iou=0.3)
