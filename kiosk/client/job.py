"""A job in one's hands: how far it is, and what was found in each of its images."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kiosk.client import progress
from kiosk.client.extras import needed
from kiosk.client.monolayer import Monolayer
from kiosk.contract import Format, ImageView, JobView, RejectedImage
from kiosk.errors import CannotSend
from streams.events import ReasonClass

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from storage.labels import Labels as Found

AT_ONCE = 8
"""Images that are fetched side by side."""
PLANE = "plane"


class Job:
    """A submission that was accepted. It goes on whether or not anybody holds this.

    Parameters
    ----------
    monolayer
        Whom to ask.
    job
        The job's id.
    show
        Whether progress is drawn.
    """

    def __init__(self, monolayer: Monolayer, job: str, show: bool) -> None:
        self._monolayer = monolayer
        self._show = show
        self.id = job

    @property
    def state(self) -> JobView:
        """Where it stands now."""
        return self._monolayer.job(self.id)

    def wait(self) -> Self:
        """Return when every image has come to an end."""
        state = self.state
        with progress.of_job(state.name, self._show) as take:
            self._monolayer.wait(self.id, take)
        return self

    def images(self) -> Iterator["Image"]:
        """All its images, in order; none before its archive has been listed."""
        yield from self._from(0)

    def image(self, which: int | str) -> "Image":
        """One image, by its number (from 0) or its name; raises `CannotSend` where there is no such one."""
        for image in self._from(which if isinstance(which, int) else 0):
            if which in (image.number, image.name):
                return image
        raise CannotSend(f"Job {self.id} has no image {which!r}.")

    def labels(self) -> "LabelsByName":
        """The masks of its labelled images by name, each fetched when it is asked for."""
        return LabelsByName({image.name: image for image in self._labelled()})

    def cells(self) -> "pd.DataFrame":
        """One row for each cell of all labelled images, with the image's name first; columns as in `cells.csv`."""
        pandas, labelled = needed("pandas"), self._labelled()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            frames = list(pool.map(Image.cells, labelled))
        for image, frame in zip(labelled, frames, strict=True):
            frame.insert(0, "image", image.name)
            if PLANE not in frame:
                frame.insert(1, PLANE, 0)
        table: pd.DataFrame = pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame({"image": []})
        return table

    def rejected(self, reason: ReasonClass | None = None) -> list[RejectedImage]:
        """Images that have no labels, and why."""
        return self._monolayer.rejected(self.id, reason)

    def replay(self, reason: ReasonClass | None = None, image: str | None = None) -> Self:
        """Send rejected images through again, and nothing else; see `Monolayer.replay`."""
        self._monolayer.replay(self.id, reason, image)
        return self

    def cancel(self) -> Self:
        """End it; what is labelled stays."""
        self._monolayer.cancel(self.id)
        return self

    def save(self, folder: str | PathLike[str], formats: Iterable[Format] = ()) -> list[Path]:
        """Write what `monolayer results` writes into a folder, and return which files; see `Monolayer.results`."""
        with progress.of_transfer(Path(folder).name, None, self._show) as take:
            return self._monolayer.results(self.id, folder, take, formats)

    def _from(self, first: int) -> Iterator["Image"]:
        for page in self._monolayer.images(self.id, first):
            yield from (Image(self._monolayer, self.id, view) for view in page.images)

    def _labelled(self) -> list["Image"]:
        return [image for image in self.images() if image.fate == "labelled"]

    def __repr__(self) -> str:
        return f"<Job {self.id}: {_standing(self.state)}>"

    def _repr_html_(self) -> str:
        state = self.state
        first = self._monolayer.rejected(self.id, limit=5) if state.rejected else []
        rows = "".join(f"<li>{escape(image.message)}</li>" for image in first)
        return f"<b>{escape(state.name)}</b> ({escape(self.id)}): {escape(_standing(state))}<ul>{rows}</ul>"


@dataclass(frozen=True)
class Image:
    """One image of a job, and what was found in it, which is fetched when it is asked for, and kept."""

    _monolayer: Monolayer
    job: str
    view: ImageView

    @property
    def number(self) -> int:
        """Its place in the job, from 0."""
        return self.view.image

    @property
    def name(self) -> str:
        """As it was sent."""
        return self.view.name

    @property
    def fate(self) -> str:
        """What had become of it when it was listed: labelled, rejected, cancelled or in flight."""
        return self.view.fate

    @property
    def labels(self) -> "NDArray[np.integer[Any]]":
        """Its mask, (H, W), or (P, H, W) of a stack: 0 is background, each cell has a number; raises `Refused`."""
        stack = self._found.labels
        return stack[0] if len(stack) == 1 else stack

    def cells(self) -> "pd.DataFrame":
        """One row for each cell; raises `Refused` where it has no labels."""
        frame: pd.DataFrame = needed("pandas").DataFrame(self._found.cells)
        return frame

    def overlay(self, plane: int = 0) -> bytes:
        """The outlines of its cells over one plane of the image, as PNG."""
        return self._monolayer.overlay(self.job, self.number, plane)

    @cached_property
    def _found(self) -> "Found":
        needed("tifffile")
        found: Found = needed("storage.labels").read_labels(self._monolayer.labels(self.job, self.number))
        return found

    def _repr_png_(self) -> bytes | None:
        return self.overlay() if self.fate == "labelled" else None


class LabelsByName(Mapping[str, "NDArray[np.integer[Any]]"]):
    """Masks by the image's name. What was looked at is not kept: a plate may be larger than memory."""

    def __init__(self, images: Mapping[str, Image]) -> None:
        self._images = images

    def __getitem__(self, name: str) -> "NDArray[np.integer[Any]]":
        image = self._images[name]
        return Image(image._monolayer, image.job, image.view).labels

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def __len__(self) -> int:
        return len(self._images)

    def __repr__(self) -> str:
        return f"<masks of {len(self)} images>"


def _standing(state: JobView) -> str:
    if state.refused:
        return f"refused: {state.refused}"
    if state.images is None:
        return "its images are being listed"
    others = ((state.rejected, "rejected"), (state.cancelled, "cancelled"), (state.in_flight or 0, "in flight"))
    told = "".join(f", {count} {what}" for count, what in others if count)
    return f"{state.labelled} of {state.images} images labelled{told}"
