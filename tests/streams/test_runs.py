"""What runs measure, and the notes of it that are kept beside objects."""

import asyncio

import pytest

from streams import runs
from streams.events import ImageFound, Source
from streams.stages import chain
from streams.tracing.spent import Spent, Taken
from streams.work import policy
from tests.streams.stand import run, tiff, tools


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


def test_who_waits_for_a_suspect_that_runs_alone_has_waited() -> None:
    given, spent = tools(), Spent()
    etag = given.store.put("uploads/u/a.tif", tiff())
    source = Source(key="uploads/u/a.tif", etag=etag, size=len(tiff()))
    found = ImageFound(job="j", image=0, name="a", source=source, model="nuclei", model_digest="d")
    message = policy.Message(found.address, 0, 0, found.encode())

    async def work() -> int:
        async with given.solitude.alone():
            working = asyncio.create_task(policy.answer(chain("tile+predict+postprocess"), message, given, spent))
            while not given.solitude._changed._waiters:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
            released = spent.now()
        await working
        return released

    released = run(work())
    assert [each.phase for each in spent.intervals if each.begun < released < each.ended] == ["wait"]
