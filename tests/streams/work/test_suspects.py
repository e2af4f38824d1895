"""What becomes of an event on which a worker or a model died, or a model failed on everything."""

import asyncio
from typing import Any

import pytest

from inference.triton import ModelFailed, ModelUnavailable
from storage import keys
from storage.memory import MemoryStore
from streams import breaker, containment
from streams.events import ImageFound, UploadReceived
from streams.jobs import markers
from streams.stages import chain
from streams.tools import Tools
from streams.work import policy
from streams.work.tracker import Past
from tests.streams.stand import Bright, Queue, archive, only_rejection, run, tiff, tools


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_delay", lambda attempt, outage: 0.001)
    monkeypatch.setattr(breaker, "CANARY_SECONDS", 0.001)


def found(given: Tools, data: bytes | None = None, name: str = "a.tif") -> ImageFound:
    """An image that was announced and waits."""
    given.store.put(f"uploads/u/{name}", data or tiff())
    events = run(Queue(given, ("unzip", "announce")).work(UploadReceived(object=f"uploads/u/{name}")))
    return next(event for event in events if isinstance(event, ImageFound))


def answer(given: Tools, event: ImageFound, suspect: bool = False) -> list[Any]:
    message = policy.Message("images.bulk", 3, 14, event.encode(), past=Past.SUSPECT if suspect else Past.NONE)
    return list(run(policy.answer(chain("tile+predict+postprocess"), message, given)).events)


def test_an_image_on_which_the_worker_died_three_times_alone_is_rejected_as_killed() -> None:  # rule 21
    given = tools()
    image = found(given)
    given.store.put(keys.alone("images.bulk", 3, 14), b"3")
    (ended,) = answer(given, image, suspect=True)
    assert (ended.outcome, ended.reason) == ("rejected", "killed")
    assert only_rejection(given.store).attempts == 3
    assert not list(given.store.list("alone/"))


def test_a_suspect_runs_under_a_marker_that_goes_when_it_ends() -> None:  # rule 21
    class Watched(MemoryStore):
        seen = b""

        def put(self, key: str, data: bytes, note: str = "") -> str:
            if key.startswith("jobs/") and key.endswith(".tif"):
                self.seen = self.get(keys.alone("images.bulk", 3, 14))
            return super().put(key, data, note)

    given = tools(Watched())
    image = found(given)
    (ended,) = answer(given, image, suspect=True)
    assert ended.outcome == "labelled"
    assert given.store.seen == b"1"  # type: ignore[attr-defined]
    assert not list(given.store.list("alone/"))


def test_a_suspect_with_an_outcome_is_not_run_again() -> None:  # rule 23
    predictor = Bright()
    given = tools(predictor=predictor)
    image = found(given)
    answer(given, image)
    calls = predictor.calls
    (ended,) = answer(given, image, suspect=True)
    assert (ended.outcome, predictor.calls) == ("labelled", calls)


def test_an_event_that_did_not_kill_is_never_counted_as_a_killer() -> None:  # rule 21
    given = tools()
    image = found(given)

    async def stopped() -> None:
        message = policy.Message("images.bulk", 3, 14, image.encode(), past=Past.SUSPECT)
        async with given.solitude.beside_others():
            running = asyncio.create_task(policy.answer(chain("tile+predict+postprocess"), message, given))
            await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    run(stopped())
    assert containment.deaths(given.store, "images.bulk", 3, 14) == 0


def test_after_two_quick_attempts_an_image_goes_back_to_the_end_of_its_topic() -> None:  # rule 22
    predictor = Bright()
    predictor.fails = [RuntimeError("boom")] * 2
    given = tools(predictor=predictor)
    (again,) = answer(given, found(given))
    assert isinstance(again, ImageFound)
    assert (again.attempt, again.again, predictor.calls) == (2, True, 2)


def test_an_image_that_kills_the_model_server_is_rejected_as_killed() -> None:  # rule 20
    predictor = Bright()
    predictor.fails = [ModelUnavailable("Stub process is not healthy")] * 99
    given = tools(predictor=predictor)
    given.gate.breaker._pause = lambda strikes: 0.0
    (ended,) = answer(given, found(given))
    assert (ended.outcome, ended.reason) == ("rejected", "killed")
    assert only_rejection(given.store).attempts == 3


def test_a_model_that_fails_on_everything_is_held_and_its_images_wait() -> None:  # rule 5
    predictor = Bright()
    predictor.fails = [ModelFailed("returned nothing")] * 99
    given = tools(predictor=predictor)
    given.streaks._most = 2
    image = found(given, archive({f"{number}.tif": tiff() for number in range(5)}), "p.zip")
    images = [image.model_copy(update={"image": number}) for number in range(5)]
    outcomes = [answer(given, each) for each in images]
    assert [len(events) for events in outcomes] == [1, 1, 0, 0, 0]
    (held,) = markers.held(given.store)
    assert image.model_digest in held.what


def test_a_cancelled_image_is_acknowledged_unworked() -> None:  # rule 5
    predictor = Bright()
    given = tools(predictor=predictor)
    image = found(given)
    markers.cancel(given.store, image.job)
    assert answer(tools(given.store, predictor), image) == []
    assert predictor.calls == 0
