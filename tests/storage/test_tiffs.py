import io
from typing import Any

import numpy as np
import pytest
import tifffile

from loadgen.hostile.sound import pixels
from storage.images import Unreadable, read_image


def written(*images: dict[str, Any], **all_of_them: Any) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=all_of_them.pop("ome", False)) as writer:
        for image in images:
            writer.write(**image, **all_of_them)
    return file.getvalue()


FIRST, SMALL, TINY = ({"data": pixels(side, side, dtype="uint8")} for side in (64, 50, 32))
BOTH, TIMES = np.stack([FIRST["data"]] * 2), {"metadata": {"axes": "TYX"}}


@pytest.mark.parametrize(
    ("data", "sizes"),
    [
        (written(FIRST, SMALL, FIRST, metadata=None), "2 images or stacks of 64 x 64 and 50 x 50 px"),
        (written(FIRST, {"data": pixels(64, 64, dtype="uint16")}, metadata=None), "2 images or stacks of 64 x 64 px"),
        (written(FIRST, FIRST, FIRST), "3 images or stacks of 64 x 64 px side by side"),
        (written(FIRST, FIRST, ome=True), "2 images or stacks of 64 x 64 px side by side"),
        (written(FIRST, {"data": pixels(64, 64, dtype="uint16")}, ome=True), "2 images or stacks of 64 x 64 px side"),
        (
            written(TIMES | {"data": BOTH}, TIMES | {"data": BOTH[:1]}, ome=True),
            "2 images or stacks of 64 x 64 px side",
        ),
    ],
    ids=["sizes", "types", "shaped", "positions", "positions of two types", "a position that stopped early"],
)
def test_further_images_of_a_file_do_not_vanish_in_silence(data: bytes, sizes: str) -> None:
    with pytest.raises(Unreadable, match=f"a.tif holds {sizes}.*; save each as a file of its own"):
        read_image(data, "a.tif")


@pytest.mark.parametrize(
    "data",
    [
        written(FIRST, TINY | {"subfiletype": 1}, metadata=None),
        written(FIRST, SMALL | {"subfiletype": 1}, metadata=None),
        written(FIRST, SMALL, ome=True),
    ],
    ids=["pyramid", "thumbnail", "slide label"],
)
def test_smaller_copies_and_slide_labels_are_passed_over(data: bytes) -> None:
    assert np.array_equal(read_image(data, "a.tif").planes, FIRST["data"][None])
