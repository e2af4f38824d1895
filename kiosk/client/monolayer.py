"""Monolayer from Python: submit images, wait for them, fetch what was found.

>>> with Monolayer() as monolayer:                                           # doctest: +SKIP
...     [job] = monolayer.submit(["plate1/"], model="nuclei", pixel_size=0.65)
...     monolayer.wait(job)
...     monolayer.results(job, "plate1-labels")
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from pydantic import ValidationError

from kiosk.client import transfer
from kiosk.client.calls import PATIENCE, Calls, find_api
from kiosk.client.options import Wanted, checked_deadline, checked_options
from kiosk.client.packing import Parcel, pack, told_apart
from kiosk.contract import (
    MOST_JOBS,
    MOST_REJECTED,
    Accepted,
    Doubts,
    Format,
    Health,
    HeldView,
    ImagePage,
    JobView,
    ModelView,
    NewUpload,
    RejectedImage,
    Release,
    Replay,
    Replayed,
)
from kiosk.errors import CannotSend
from kiosk.traces import JobTraceView, TraceView
from streams.events import ReasonClass
from streams.wording import complaint

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
    late
        Called when a request has been repeated for some seconds.
    token
        What lets you in, where Monolayer asks for it (`monolayer tokens create`); none: what `MONOLAYER_TOKEN` says.

    Raises
    ------
    NotRunning
        No address is given, and nothing runs on this machine.
    """

    def __init__(
        self,
        api: str | None = None,
        patience: float = PATIENCE,
        late: Callable[[], None] | None = None,
        token: str | None = None,
    ) -> None:
        found = find_api(api or os.environ.get("MONOLAYER_API"))
        self._calls = Calls(found, patience, late, token or os.environ.get("MONOLAYER_TOKEN"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def health(self) -> Health:
        """Whether the API answers right now; raises `NotRunning`."""
        return self._calls.ask(Health, "GET", "/health", patience=0)

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
        deadline: float | None = None,
        budget: float | None = None,
        notify: str = "",
        sent: Sent | None = None,
    ) -> list[str]:
        """Send images and return the jobs they became.

        Parameters
        ----------
        paths
            Files and folders. Each zip becomes a job; all other files together become one more. Files in a folder
            that are no images by their names are left out.
        model
            One of `models()`.
        pixel_size
            µm per pixel of the images, or None for what the files say.
        diameter
            Typical diameter of the objects in pixels; instead of `pixel_size`.
        channel
            The channel to look at, counted from 1, or None for the first.
        submission
            Your own mark for this submission: the same files under the same mark are the same jobs, so that a
            script may be run again.
        deadline
            Seconds after which images still in flight are rejected; None: a day.
        budget
            Dollars that each job may cost before it is held; None: as many as it takes.
        notify
            An address that is told when each job ends, by a signed message (Standard Webhooks). `send` returns what
            it is signed with.
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
        wanted = Wanted(model, options, submission, checked_deadline(deadline), budget, notify)
        parcels = pack([Path(path) for path in paths])
        if submission:
            told_apart(parcels)
        told = [partial(sent, parcel) if sent else None for parcel in parcels]
        return [self.send(parcel, wanted, count).job for parcel, count in zip(parcels, told, strict=True)]

    def send(self, parcel: Parcel, wanted: Wanted, sent: Count | None = None) -> Accepted:
        """Send what `pack` made of some paths, and return the job it became, or was already."""
        asked = asdict(wanted) | {"name": parcel.name, "size": parcel.size}
        if wanted.submission:  # two plates of one camera have the same names and sizes
            asked["digest"] = parcel.digest()
        try:
            upload = NewUpload.model_validate(asked)
        except ValidationError as error:
            raise CannotSend(f"{parcel.name}: {complaint(error)}") from None
        return transfer.send(self._calls, parcel, upload, sent or _ignore)

    def jobs(self, limit: int = 20) -> list[JobView]:
        """Jobs, the newest first, at most so many."""
        found: list[JobView] = []
        while (wanted := min(limit - len(found), MOST_JOBS)) > 0:
            after = found[-1].job if found else None
            page = self._calls.ask(list[JobView], "GET", "/jobs", limit=wanted, after=after)
            found += page
            if len(page) < wanted:
                break
        return found

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

    def rejected(self, job: str, reason: ReasonClass | None = None, limit: int | None = None) -> list[RejectedImage]:
        """Images of a job that have no labels, and why; of one reason class and at most so many, if asked for."""
        found: list[RejectedImage] = []
        while (wanted := MOST_REJECTED if limit is None else min(limit - len(found), MOST_REJECTED)) > 0:
            first = found[-1].image + 1 if found else 0
            path = f"/jobs/{job}/rejected"
            page = self._calls.ask(list[RejectedImage], "GET", path, first=first, limit=wanted, reason=reason)
            found += page
            if len(page) < wanted:
                break
        return found

    def doubtful(self, job: str) -> Doubts:
        """Labelled images that deserve a look before they are believed, and why; among the first 2,000 of the job."""
        return self._calls.ask(Doubts, "GET", f"/jobs/{job}/doubtful")

    def replay(
        self,
        job: str,
        reason: ReasonClass | None = None,
        image: str | None = None,
        deadline: float | None = None,
    ) -> Replayed:
        """Send rejected images of a job through again, and nothing else.

        Parameters
        ----------
        job
            A job, done or not, whose uploaded file is still there.
        reason
            Only those of this reason class.
        image
            Only those of this name; `*` and `?` stand for any characters.
        deadline
            Seconds after which they are rejected again, where that isn't the job's.
        """
        which = Replay(reason=reason, image=image, deadline=checked_deadline(deadline))
        return self._calls.ask(Replayed, "POST", f"/jobs/{job}/replay", which)

    def cancel(self, job: str) -> JobView:
        """End a job: what is labelled stays, nothing more is begun. Returns where it stands then."""
        return self._calls.ask(JobView, "POST", f"/jobs/{job}/cancel")

    def held(self) -> list[HeldView]:
        """Jobs and models for which nothing is begun until they are released."""
        return self._calls.ask(list[HeldView], "GET", "/held")

    def release(self, held: HeldView, budget: float | None = None) -> None:
        """Let the work on a held job or model go on; the job with a new budget, if one is given (dollars in all)."""
        how = None if budget is None else Release(budget=budget)
        self._calls.ask(type(None), "POST", f"/{held.kind}s/{held.name}/release", how)

    def trace(self, job: str, image: int) -> TraceView:
        """Where the time of one image went."""
        return self._calls.ask(TraceView, "GET", f"/jobs/{job}/images/{image}/trace")

    def job_trace(self, job: str) -> JobTraceView:
        """The job's own trace, and the slowest of its images."""
        return self._calls.ask(JobTraceView, "GET", f"/jobs/{job}/trace")

    def images(self, job: str, first: int = 0) -> Iterator[ImagePage]:
        """All images of a job from one on, in pages."""
        page = self._images(job, first)
        while page.images:
            yield page
            page = self._images(job, page.first + len(page.images))

    def labels(self, job: str, image: int) -> bytes:
        """The labels of one image (by its number, from 0) and the table of its cells, as `results` writes them."""
        return transfer.whole(self._calls, f"/jobs/{job}/images/{image}/labels.tif")

    def overlay(self, job: str, image: int, plane: int = 0) -> bytes:
        """The outlines of one image's cells over one of its planes, as PNG."""
        return transfer.whole(self._calls, f"/jobs/{job}/images/{image}/overlay?plane={plane}")

    def results(
        self,
        job: str,
        out: str | PathLike[str],
        received: Count | None = None,
        formats: Iterable[Format] = (),
    ) -> list[Path]:
        """Fetch labels, overlays, the table of cells and the manifest into a folder; returns what was written.

        With `formats`, the labels come as regions for ImageJ and as objects for QuPath, too, the table as Parquet.
        """
        query = urlencode([("format", name) for name in formats])
        path = f"/jobs/{job}/results{'?' if query else ''}{query}"
        return transfer.fetch(self._calls, path, Path(out), received or _ignore)

    def _images(self, job: str, first: int) -> ImagePage:
        return self._calls.ask(ImagePage, "GET", f"/jobs/{job}/images", first=first, count=1000)


def _ignore(count: int) -> None:
    pass
