"""Notes of what runs measured, kept beside objects."""

import pytest

from streams import runs
from streams.spent import Spent, Taken


def test_a_note_is_short_ascii_whatever_the_image_is_called() -> None:
    spent = Spent(Taken("tile+predict+postprocess", "w1", 1e9))
    spent.image = "細胞  ä.tif"
    for _ in range(200):
        with spent.timed("model"):
            pass
    line = runs.note(spent.runs() or ())
    assert line.isascii()
    assert len(line) <= runs.MOST_NOTE
    [noted] = runs.noted(line) or ()
    assert noted.image == "細胞  ä.tif"


@pytest.mark.parametrize("line", ["", "junk", "[]junk", '[{"chain": 1}]'])
def test_a_note_of_somebody_elses_is_none(line: str) -> None:
    assert runs.noted(line) is None
