"""A job is stuck when nothing ends any more, not when others' images go before its last."""

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.chaos.completions import Completions
from loadgen.chaos.load import Job, Stuck, finish
from loadgen.chaos.records import Record
from storage import keys

ARCHIVE: Any = SimpleNamespace(members=[1, 2, 3])


def ended(job: str, image: int) -> Record:
    return Record("outcomes", 0, image, None, json.dumps({"job": job, "image": image}).encode(), [])


def finished(folder: Path, images: list[Record], patience: float, done_after: int) -> Job:
    """Hear of an image every tenth of a second; the job's end is written after so many."""

    async def whole() -> Job:
        completions, job = Completions(), Job("j", ARCHIVE, time.monotonic())
        stack: Any = SimpleNamespace(objects=folder)
        waiting = asyncio.create_task(finish(job, stack, completions, lambda count: None, patience))
        for number, record in enumerate(images):
            await asyncio.sleep(0.1)
            completions.hear(record)
            if number == done_after:
                (folder / keys.done("j")).parent.mkdir(parents=True)
                (folder / keys.done("j")).touch()
        await waiting
        return job

    return asyncio.run(whole())


def test_a_job_waits_as_long_as_images_of_others_end(tmp_path: Path) -> None:
    others = [ended("other", image) for image in range(12)]
    assert finished(tmp_path, [ended("j", 0), *others], patience=0.6, done_after=12).ended > 0


def test_a_job_is_stuck_when_nothing_ends_any_more(tmp_path: Path) -> None:
    with pytest.raises(Stuck, match="Job j stands at 1 of 3 images"):
        finished(tmp_path, [ended("j", 0)], patience=0.5, done_after=12)
