"""Images whose labels deserve a look before they are believed: unlike what can be right, or unlike the job's others."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from kiosk.contract import DoubtfulImage, Doubts
from storage import keys
from storage.labels import Cells, count, read_table
from storage.objects import Store
from streams.jobs.records import Entry, Job

BLURRED = 0.15
"""Focus below which an image counts as out of focus.

Tried on 200 images of DSB 2018, labelled by the shipped model at the scale of their nuclei: none of them is flagged as
it is (the lowest has 0.156). Blurred by a Gaussian, with their noise added again, are flagged: 28 % at a sigma of 8 %
of the nuclei's diameter, 93 % at 12 %, 97 % at 16 %, 98 % at 20 %.
"""
SATURATED = 0.005
"""Share of saturated pixels above which an image counts as saturated.

Tried on 594 images of DSB 2018: 2.7 % are flagged as they are, some of them rightly. With so much more light that a
quarter of the nuclei's pixels is clipped 89 % are, with half of them 97 %.
"""
UNLIKE = 1.8
"""Times larger or smaller than the job's median at which cells are unlike the others.

Of 555 images in seven groups of one kind each 1.1 % differ so much, in a screen of compounds 2.2 %; of two objectives
one enlarges twice as much as the other, or more.
"""
AMISS = 1.4
"""Times larger or smaller than the given diameter at which cells are of another size than was said.

Tried on 129 images of DSB 2018: of those with the right diameter none is flagged (found are 0.87 to 1.12 of it), of
those with one that is wrong by a quarter 1 %, by a half 63 %, by a factor of two 94 %.
"""
FEWEST_CELLS = 5
"""An image with fewer says nothing of its cells' size."""
FEWEST_IMAGES = 5
LOOKED_AT = 2000
"""So many labels are read to answer one question."""

OUT_OF_FOCUS = "out of focus"
FULL = "saturated"
ODD = "sizes unlike the others"
OTHER = "sizes unlike the diameter that was given"
EMPTY = "no cells found"


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a labelled image; what its labels don't say, as they are older, is None."""

    cells: int
    focus: float | None
    saturated: float | None
    diameter: float | None
    """Of its cells, in the middle, in pixels."""
    pixel_size: float | None
    """µm."""

    def told(self) -> dict[str, float]:
        """As the manifest tells it."""
        told = {"focus": self.focus, "saturated": self.saturated, "median_diameter_px": self.diameter}
        return {name: figure for name, figure in told.items() if figure is not None}


def figures(cells: Cells, pixel_size: float | None, facts: Mapping[str, str]) -> Figures:
    """What labels say of their image."""
    areas = cells.get("area_px", np.zeros(0))
    diameter = round(float(np.sqrt(4 / np.pi * np.median(areas))), 2) if len(areas) else None
    return Figures(
        cells=count(cells),
        focus=_number(facts.get("focus")),
        saturated=_number(facts.get("saturated")),
        diameter=diameter,
        pixel_size=pixel_size,
    )


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def doubts(store: Store, job: Job, labelled: Sequence[Entry]) -> Doubts:
    """The doubtful among some labelled images, compared with each other and with what was said of them."""

    def read(entry: Entry) -> Figures:
        return figures(*read_table(store.get(keys.labels(job.job, entry.image))))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, labelled))
    sizes = usual_size(found, job.options.diameter)
    flagged = [(entry, image, flags(image, sizes)) for entry, image in zip(labelled, found, strict=True)]
    return Doubts(
        looked_at=len(found),
        images=[
            DoubtfulImage(image=entry.image, name=entry.name, flags=why, cells=image.cells, **image.told())
            for entry, image, why in flagged
            if why
        ],
    )


def usual_size(images: Iterable[Figures], given: float | None = None) -> "Sizes":
    """What sizes a job's images have; those with a handful of cells say nothing.

    Parameters
    ----------
    images
        The job's.
    given
        The diameter of an object in pixels, as whoever submitted the job said.
    """
    telling = [image for image in images if image.diameter and image.cells >= FEWEST_CELLS]
    in_um = all(image.pixel_size for image in telling)
    sizes = [_size(image, in_um) for image in telling]
    return Sizes(statistics.median(sizes) if len(sizes) >= FEWEST_IMAGES else None, in_um, given)


@dataclass(frozen=True, slots=True)
class Sizes:
    """The size that the cells of a job's images usually have: in µm where all pixel sizes are known."""

    usual: float | None
    in_um: bool
    given: float | None = None
    """What they were said to have, in pixels."""

    def are_unlike(self, image: Figures) -> bool:
        """Whether an image's cells are of quite another size."""
        if self.usual is None or image.diameter is None or image.cells < FEWEST_CELLS:
            return False
        if self.in_um and not image.pixel_size:
            return False
        return not 1 / UNLIKE < _size(image, self.in_um) / self.usual < UNLIKE

    def are_not_as_given(self, image: Figures) -> bool:
        """Whether an image's cells are not of the size for which it was scaled."""
        if self.given is None or image.diameter is None or image.cells < FEWEST_CELLS:
            return False
        return not 1 / AMISS < image.diameter / self.given < AMISS


def _size(image: Figures, in_um: bool) -> float:
    return (image.diameter or 0.0) * (image.pixel_size or 0.0 if in_um else 1.0)


def flags(image: Figures, sizes: Sizes) -> list[str]:
    """Why an image shouldn't be trusted unseen, in words; nothing where there is no reason."""
    doubts = {
        EMPTY: image.cells == 0,
        OUT_OF_FOCUS: image.focus is not None and image.focus < BLURRED,
        FULL: image.saturated is not None and image.saturated > SATURATED,
        ODD: sizes.are_unlike(image),
        OTHER: sizes.are_not_as_given(image),
    }
    return [words for words, doubtful in doubts.items() if doubtful]
