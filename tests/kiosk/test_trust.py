from dataclasses import replace

import numpy as np

from kiosk.api.trust import BLURRED, SATURATED, Figures, figures, flags, usual_size

GOOD = Figures(cells=50, focus=0.25, saturated=0.0, diameter=24.0, pixel_size=None)
ALIKE = [GOOD] * 9


def of(image: Figures, others: list[Figures] = ALIKE) -> list[str]:
    return flags(image, usual_size([*others, image]))


def test_an_image_like_the_others_has_no_flag() -> None:
    assert of(GOOD) == []


def test_each_doubt_has_its_words() -> None:
    assert of(replace(GOOD, focus=BLURRED / 2)) == ["out of focus"]
    assert of(replace(GOOD, saturated=SATURATED * 2)) == ["saturated"]
    assert of(replace(GOOD, diameter=40.0)) == of(replace(GOOD, diameter=12.0)) == ["sizes unlike the others"]
    assert of(Figures(0, None, 0.0, None, None)) == ["no cells found"]


def test_sizes_are_compared_in_micrometres_where_all_are_known() -> None:
    small, large = replace(GOOD, pixel_size=0.5), replace(GOOD, diameter=48.0, pixel_size=0.25)
    assert of(large, [small] * 9) == []
    assert of(replace(large, pixel_size=0.5), [small] * 9) == ["sizes unlike the others"]
    assert of(large, ALIKE) == ["sizes unlike the others"]


def test_a_few_cells_or_a_few_images_say_nothing_of_sizes() -> None:
    assert of(replace(GOOD, diameter=90.0, cells=2)) == []
    assert of(replace(GOOD, diameter=90.0), [GOOD] * 2) == []


def test_labels_from_before_there_were_figures_are_flagged_by_their_cells_alone() -> None:
    old = figures({"label": np.arange(8), "area_px": np.full(8, 400)}, 0.5, {"model": "nuclei"})
    assert (old.focus, old.saturated, old.diameter, old.cells) == (None, None, 22.57, 8)
    assert of(old) == []
    assert old.as_json() == {"median_diameter_px": 22.57}
