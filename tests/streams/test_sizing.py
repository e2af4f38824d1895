"""What a stage does about an image of which no size is known."""

import io

import numpy as np
import pytest
import tifffile

from storage import keys
from storage.labels import Labels, read_labels
from streams.events import TilePlanned
from streams.jobs import ledger
from tests.streams.stand import Bright, submit, tools


def large(pixel_size: float | None = None) -> bytes:
    """Discs of about 60 px."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:400, :400]
    image = rng.normal(200, 10, (400, 400))
    for row in range(50, 400, 100):
        for column in range(50, 400, 100):
            image += 3000 * (np.hypot(rows - row, columns - column) < 30)
    file = io.BytesIO()
    known = {} if pixel_size is None else {"PhysicalSizeX": pixel_size, "PhysicalSizeY": pixel_size}
    tifffile.imwrite(file, image.clip(0, 65535).astype(np.uint16), ome=True, metadata={"axes": "YX", **known})
    return file.getvalue()


def labelled(data: bytes, predictor: Bright | None = None, **options: float) -> tuple[Labels, TilePlanned]:
    """The labels, and one of the tiles that were planned."""
    given = tools(predictor=predictor, chained_tiles=0)
    events = submit(given, data, name="a.tif", options=options)
    planned = next(event for event in events if isinstance(event, TilePlanned))
    return read_labels(given.store.get(keys.labels(next(ledger.jobs(given.store)).job, 0))), planned


def test_an_image_of_unknown_scale_is_rescaled_by_its_estimated_size_and_its_labels_say_so() -> None:
    labels, planned = labelled(large())
    estimated = float(labels.facts["estimated_diameter_px"])
    assert estimated == pytest.approx(60, rel=0.1)
    assert planned.scaled == (round(400 * 24 / estimated),) * 2
    assert labels.labels.max() == 16


def test_the_estimate_given_as_the_diameter_gives_the_same_labels() -> None:
    estimated, _ = labelled(large())
    given, _ = labelled(large(), diameter=float(estimated.facts["estimated_diameter_px"]))
    assert (given.labels == estimated.labels).all()
    assert "estimated_diameter_px" not in given.facts


@pytest.mark.parametrize(("in_file", "options"), [(0.5, {}), (None, {"pixel_size": 0.5}), (None, {"diameter": 24})])
def test_where_a_size_is_known_nothing_is_estimated(in_file: float | None, options: dict[str, float]) -> None:
    predictor = Bright()
    labels, planned = labelled(large(in_file), predictor, **options)
    assert predictor.calls == planned.tiles == 1
    assert "estimated_diameter_px" not in labels.facts
