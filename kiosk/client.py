"""Monolayer from Python: submit images, wait for them, fetch what was found.

>>> with Monolayer() as monolayer:                                           # doctest: +SKIP
...     [job] = monolayer.submit(["plate1/"], model="nuclei", pixel_size=0.65)
...     monolayer.wait(job)
...     monolayer.results(job, "plate1-labels")
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from kiosk import transfer
from kiosk.calls import PATIENCE, Calls
from kiosk.contract import Health, ImagePage, JobView, ModelView, NewUpload, RejectedImage, complaint
from kiosk.errors import Broken, CannotSend, MonolayerError, NotRunning, Refused
from kiosk.find import find_api
from kiosk.packing import Parcel, pack
from streams.events import Options

__all__ = ["Broken", "CannotSend", "Monolayer", "MonolayerError", "NotRunning", "Refused"]

Sent = Callable[[Parcel, int], None]
"""Takes what is being sent, and how many of its bytes have gone."""
Seen = Callable[[JobView], None]
"""Takes a job's state, about twice a second."""
Count = Callable[[int], None]
"""Takes how many bytes have gone, or come."""
Paths = Sequence[str | PathLike[str]]


class Monolayer:
    """A client of one Monolayer.

    Parameters
    ----------
    api
        The address of its API; none: where `MONOLAYER_API` says, else the one on this machine.
    patience
        Seconds for which a request is repeated while nothing answers.
    """

    def __init__(self, api: str | None = None, patience: float = PATIENCE) -> None:
        self._calls = Calls(find_api(api or os.environ.get("MONOLAYER_API")), patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def health(self) -> Health:
        """Whether the API answers right now; raises `NotRunning`."""
        return self._calls.ask(Health, "GET", "/health", patient=False)

    def models(self) -> list[ModelView]:
        """The models that jobs may name."""
        return self._calls.ask(list[ModelView], "GET", "/models")

    def submit(
        self,
        paths: Paths,
        model: str = "nuclei",
        *,
        pixel_size: float | None = None,
        diameter: float | None = None,
        channel: int | None = None,
        submission: str = "",
        sent: Sent | None = None,
    ) -> list[str]:
        """Send images and return the jobs they became.

        Parameters
        ----------
        paths
            Files and folders. Each zip becomes a job; all other files together become one more.
        model
            One of `models()`.
        pixel_size
            µm per pixel of the images, or None for what the files say.
        diameter
            Typical diameter of the objects in pixels; instead of `pixel_size`.
        channel
            The channel to look at, counted from 1, or None for the first.
        submission
            Your own mark for this submission.
        sent
            Called as bytes leave.

        Raises
        ------
        CannotSend
            A path doesn't exist or can't be read.
        MonolayerError
            The API refuses, or can't be reached.
        """
        if isinstance(paths, str | PathLike):
            paths = [paths]
        options = checked_options(pixel_size, diameter, channel)
        parcels = pack([Path(path) for path in paths])
        return [
            self.send(parcel, model, options, submission, partial(sent, parcel) if sent else None) for parcel in parcels
        ]

    def send(
        self, parcel: Parcel, model: str, options: Options, submission: str = "", sent: Count | None = None
    ) -> str:
        """Send what `pack` made of some paths, and return the job it became."""
        upload = NewUpload(name=parcel.name, model=model, options=options, submission=submission, size=parcel.size)
        return transfer.send(self._calls, parcel, upload, sent or _ignore)

    def jobs(self, limit: int = 20) -> list[JobView]:
        """Jobs, the newest first."""
        return self._calls.ask(list[JobView], "GET", "/jobs", limit=limit)

    def job(self, job: str) -> JobView:
        """Where a job stands."""
        return self._calls.ask(JobView, "GET", f"/jobs/{job}")

    def wait(self, job: str, seen: Seen | None = None, every: float = 0.5) -> JobView:
        """Return when the job is done; `seen` is told every so many seconds until then."""
        while True:
            state = self.job(job)
            if seen:
                seen(state)
            if state.over:
                return state
            time.sleep(every)

    def rejected(self, job: str) -> list[RejectedImage]:
        """Images of a job that have no labels, and why."""
        return self._calls.ask(list[RejectedImage], "GET", f"/jobs/{job}/rejected", limit=10_000)

    def images(self, job: str) -> Iterator[ImagePage]:
        """All images of a job, in pages."""
        page = self._images(job, 0)
        while page.images:
            yield page
            page = self._images(job, page.first + len(page.images))

    def results(self, job: str, out: str | PathLike[str], received: Count | None = None) -> list[Path]:
        """Fetch labels, overlays, the table of cells and the manifest into a folder; returns what was written."""
        return transfer.fetch(self._calls, f"/jobs/{job}/results", Path(out), received or _ignore)

    def _images(self, job: str, first: int) -> ImagePage:
        return self._calls.ask(ImagePage, "GET", f"/jobs/{job}/images", first=first, count=1000)


def checked_options(pixel_size: float | None, diameter: float | None, channel: int | None) -> Options:
    """What was asked for; raises `CannotSend` where it can't be meant."""
    if pixel_size is not None and diameter is not None:
        raise CannotSend("Give the pixel size or the diameter of an object, not both.")
    try:
        return Options(pixel_size=pixel_size, diameter=diameter, channel=channel)
    except ValidationError as error:
        raise CannotSend(f"The {complaint(error)}") from None


def _ignore(count: int) -> None:
    pass
