"""The same for programs with an event loop: every call that would wait is awaited, in a thread of its own."""

import asyncio
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kiosk.client.job import Image, Job, LabelsByName
from kiosk.client.kiosk import Kiosk
from kiosk.contract import JobView, ModelView, RejectedImage

if TYPE_CHECKING:
    import pandas as pd

LOOK_SECONDS = 0.5


class AsyncKiosk:
    """`Kiosk`, awaited; takes what that takes."""

    def __init__(self, api: str | None = None, show: bool | None = None, token: str | None = None) -> None:
        self._kiosk = Kiosk(api, show, token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._kiosk.close()

    async def submit(self, images: Any, model: str = "nuclei", **options: Any) -> "AsyncJob":
        """See `Kiosk.submit`."""
        return AsyncJob(await asyncio.to_thread(self._kiosk.submit, images, model, **options))

    def job(self, job: str) -> "AsyncJob":
        """A job by its id."""
        return AsyncJob(self._kiosk.job(job))

    async def jobs(self, limit: int = 20) -> list["AsyncJob"]:
        """Jobs, the newest first."""
        return [AsyncJob(job) for job in await asyncio.to_thread(self._kiosk.jobs, limit)]

    async def models(self) -> list[ModelView]:
        """The models that jobs may name."""
        return await asyncio.to_thread(self._kiosk.models)


class AsyncJob:
    """`Job`, awaited."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.id = job.id

    async def state(self) -> JobView:
        """Where it stands now."""
        return await asyncio.to_thread(lambda: self._job.state)

    async def wait(self) -> Self:
        """Return when every image has come to an end; may be cancelled, which the job doesn't notice."""
        while not (await self.state()).over:  # noqa: ASYNC110  # other processes set no events
            await asyncio.sleep(LOOK_SECONDS)
        return self

    async def images(self) -> list[Image]:
        """All its images; what they hold is fetched when it is asked for, and not awaited."""
        return await asyncio.to_thread(lambda: list(self._job.images()))

    async def labels(self) -> LabelsByName:
        """See `Job.labels`."""
        return await asyncio.to_thread(self._job.labels)

    async def cells(self) -> "pd.DataFrame":
        """See `Job.cells`."""
        return await asyncio.to_thread(self._job.cells)

    async def rejected(self) -> list[RejectedImage]:
        """See `Job.rejected`."""
        return await asyncio.to_thread(self._job.rejected)

    async def cancel(self) -> Self:
        """See `Job.cancel`."""
        await asyncio.to_thread(self._job.cancel)
        return self

    async def save(self, folder: str | PathLike[str]) -> list[Path]:
        """See `Job.save`."""
        return await asyncio.to_thread(self._job.save, folder)
