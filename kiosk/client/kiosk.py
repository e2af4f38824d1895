"""What one writes in a notebook: images in; masks and tables of cells out, as arrays and frames.

>>> job = Kiosk().submit("plate1/", diameter=24).wait()                      # doctest: +SKIP
>>> job.cells().groupby("image").area_px.median()                            # doctest: +SKIP
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from kiosk.client import progress
from kiosk.client.arrays import Arrays, are_arrays, write
from kiosk.client.job import Job
from kiosk.client.monolayer import Monolayer
from kiosk.client.options import Wanted, checked_deadline, checked_options
from kiosk.client.packing import Parcel, pack
from kiosk.contract import ModelView
from kiosk.errors import CannotSend

Path_ = str | PathLike[str]


class Kiosk:
    """A Monolayer, for notebooks and scripts; `Monolayer` is the same with ids in place of objects.

    Parameters
    ----------
    api
        The address of its API; none: where `MONOLAYER_API` says, else the one on this machine.
    show
        Whether progress is drawn; none: where somebody can see it.
    token
        What lets you in, where Monolayer asks for it; none: what `MONOLAYER_TOKEN` says.

    Raises
    ------
    NotRunning
        No address is given, and nothing runs on this machine.
    """

    def __init__(self, api: str | None = None, show: bool | None = None, token: str | None = None) -> None:
        self._monolayer = Monolayer(api, token=token)
        self._show = progress.wanted(show)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._monolayer.close()

    def submit(
        self,
        images: Path_ | Sequence[Path_] | Arrays,
        model: str = "nuclei",
        *,
        pixel_size: float | None = None,
        diameter: float | None = None,
        channel: int | None = None,
        submission: str = "",
        deadline: float | None = None,
        budget: float | None = None,
        notify: str = "",
    ) -> Job:
        """Send images, and return the job that they became.

        Parameters
        ----------
        images
            A folder, files, or one zip; or an array, several, or several by name: (H, W) or (P, H, W), uint8 or uint16.
        model, pixel_size, diameter, channel, submission, deadline, budget, notify
            As of `Monolayer.submit`.

        Raises
        ------
        CannotSend
            A path doesn't exist, an array has the wrong shape, or it would become several jobs.
        MonolayerError
            The API refuses, or can't be reached.
        """
        options = checked_options(pixel_size, diameter, channel)
        wanted = Wanted(model, options, submission, checked_deadline(deadline), budget, notify)
        with _parcel(images) as parcel, progress.of_transfer(parcel.name, parcel.size, self._show) as take:
            accepted = self._monolayer.send(parcel, wanted, take)
        return self.job(accepted.job)

    def job(self, job: str) -> Job:
        """A job by its id."""
        return Job(self._monolayer, job, self._show)

    def jobs(self, limit: int = 20) -> list[Job]:
        """Jobs, the newest first."""
        return [self.job(state.job) for state in self._monolayer.jobs(limit)]

    def models(self) -> list[ModelView]:
        """The models that jobs may name."""
        return self._monolayer.models()


@contextmanager
def _parcel(images: Path_ | Sequence[Path_] | Arrays) -> Iterator[Parcel]:
    """What is sent for them; arrays lie in a folder until then."""
    if not are_arrays(images):
        yield _single([images] if isinstance(images, str | PathLike) else list(images))
        return
    with TemporaryDirectory(prefix="monolayer-") as name:
        folder = Path(name) / "arrays"
        folder.mkdir()
        write(images, folder)
        yield _single([folder])


def _single(paths: Sequence[Path_]) -> Parcel:
    parcels = pack([Path(path) for path in paths])
    if len(parcels) != 1:
        raise CannotSend("Each zip becomes a job of its own: submit them one by one.")
    return parcels[0]
