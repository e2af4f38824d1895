"""What becomes of an event whose stage fails."""

import dataclasses
import json

import pytest

from inference.triton import ModelFailed, ModelUnavailable
from storage import keys
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams import ledger, policy
from streams.events import ImageFound, TilePlanned, UploadReceived
from streams.stages import chain
from tests.streams.stand import CHAINED, Bright, Queue, archive, run, submit, tiff, tools


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_delay", lambda attempt, outage: 0.001)


def only_rejection(store: MemoryStore):  # type: ignore[no-untyped-def]
    (rejection,) = ledger.rejections(store, next(ledger.jobs(store)).job)
    return rejection


def test_an_image_that_can_not_be_read_is_rejected_at_once_and_its_neighbours_finish() -> None:
    given = tools()
    submit(given, archive({"good.tif": tiff(), "notes.txt": b"cells looked happy", "cut.tif": tiff()[:3000]}))
    state = ledger.state(given.store, next(ledger.jobs(given.store)).job)
    assert (state.state, state.labelled, state.rejected) == ("done", 1, 2)
    for rejection in ledger.rejections(given.store, state.job):
        assert rejection.name in rejection.message
        assert rejection.attempts == 1


def test_an_archive_that_is_none_is_a_job_of_one_rejected_image() -> None:
    given = tools()
    submit(given, b"PK\x03\x04 and then nothing")
    rejection = only_rejection(given.store)
    assert rejection.reason == "bad_input"
    assert "plate.zip" in rejection.message


def test_an_unknown_model_announced_by_a_stranger_is_a_rejected_job() -> None:
    given = tools()
    submit(given, tiff(), name="a.tif", model="mitochondria")
    assert "mitochondria" in only_rejection(given.store).message
    assert ledger.state(given.store, next(ledger.jobs(given.store)).job).state == "done"


def test_a_pixel_size_that_can_not_be_is_a_rejected_job() -> None:
    given = tools()
    submit(given, tiff(), name="a.tif", options={"pixel_size": -1})
    assert "pixel_size" in only_rejection(given.store).message


def test_what_names_no_job_is_quarantined_by_where_it_stood() -> None:  # rule 8
    given = tools()
    message = policy.Message("uploads", 2, 77, b"\x00 junk")
    assert run(policy.answer(chain("unzip"), message, given)) == []
    assert given.store.get(keys.quarantine("uploads", 2, 77)) == b"\x00 junk"


def test_an_object_outside_the_input_prefixes_is_quarantined() -> None:  # rule 8
    given = tools()
    given.store.put("jobs/x/job.json", b"{}")
    event = UploadReceived(object="jobs/x/job.json")
    message = policy.Message("uploads", 0, 1, event.encode())
    assert run(policy.answer(chain("unzip"), message, given)) == []
    assert list(given.store.list("quarantine/"))


def test_an_outage_is_waited_out_and_no_attempt_counts() -> None:
    predictor = Bright()
    predictor.fails = [ModelUnavailable("away")] * 50
    given = tools(predictor=predictor)
    submit(given, tiff(), name="a.tif")
    assert ledger.state(given.store, next(ledger.jobs(given.store)).job).labelled == 1


def test_a_store_that_comes_and_goes_loses_nothing() -> None:
    class Flaky(MemoryStore):
        calls = 0

        def put(self, key: str, data: bytes) -> str:
            self.calls += 1
            if self.calls % 3 == 0 and key.startswith("jobs/"):
                raise Unavailable("away")
            return super().put(key, data)

    given = tools(Flaky())
    submit(given, archive({"a.tif": tiff(), "b.txt": b"no"}), name="p.zip")
    state = ledger.state(given.store, next(ledger.jobs(given.store)).job)
    assert (state.state, state.labelled, state.rejected) == ("done", 1, 1)


def test_a_model_that_answers_nonsense_rejects_the_image_as_model_error() -> None:
    predictor = Bright()
    predictor.fails = [ModelFailed("returned nothing")]
    given = tools(predictor=predictor)
    submit(given, tiff(), name="a.tif")
    assert only_rejection(given.store).reason == "model_error"


def test_an_error_nobody_foresaw_is_tried_again_and_then_rejected_as_infrastructure() -> None:
    predictor = Bright()
    predictor.fails = [RuntimeError("boom")] * policy.ATTEMPTS
    given = tools(predictor=predictor)
    submit(given, tiff(), name="a.tif")
    rejection = only_rejection(given.store)
    assert (rejection.reason, rejection.attempts) == ("infrastructure", policy.ATTEMPTS)
    assert predictor.calls == policy.ATTEMPTS


def test_a_source_replaced_after_acceptance_is_rejected_as_changed() -> None:  # rule 9
    given = tools()
    data = archive({"a.tif": tiff()})
    given.store.put("uploads/u/p.zip", data)
    events = run(Queue(given, ("unzip", "announce")).work(UploadReceived(object="uploads/u/p.zip")))
    given.store.put("uploads/u/p.zip", archive({"a.tif": tiff(seed=9)}))
    run(Queue(given, CHAINED).work(*[event for event in events if isinstance(event, ImageFound)]))
    assert "source changed" in only_rejection(given.store).message


def test_a_damaged_map_is_computed_again_and_never_rejected() -> None:  # rule 14
    from tests.streams.test_layouts import small_tiles

    given = small_tiles(tools(chained_tiles=1))
    given.store.put("uploads/u/a.tif", tiff((150, 260)))
    queue = Queue(given, ("unzip", "announce", "tile+predict+postprocess"))
    events = run(queue.work(UploadReceived(object="uploads/u/a.tif")))
    tiles = [event for event in events if isinstance(event, TilePlanned)]
    predicted = run(Queue(given, ("predict",)).work(*tiles))[len(tiles) :]
    given.store.put(predicted[0].maps, b"rotten")
    run(Queue(given, CHAINED).work(*predicted))
    state = ledger.state(given.store, tiles[0].job)
    assert (state.state, state.labelled) == ("done", 1)


def test_a_plan_of_another_program_version_is_planned_anew() -> None:  # rule 12
    from tests.streams.test_layouts import small_tiles

    old, new = small_tiles(tools(chained_tiles=1)), tools()
    old.store.put("uploads/u/a.tif", tiff((150, 260)))
    events = run(Queue(old, CHAINED[:3]).work(UploadReceived(object="uploads/u/a.tif")))
    tiles = [event for event in events if isinstance(event, TilePlanned)]
    foreign = [tile.model_copy(update={"plan": "0" * 16}) for tile in tiles]
    given = dataclasses.replace(new, store=old.store)
    again = run(Queue(given, ("predict",)).work(*foreign))
    assert {event.topic for event in again[len(foreign) :]} == {"images"}


def test_a_rejection_tells_the_whole_story() -> None:
    given = tools()
    submit(given, archive({"notes.txt": b"no"}))
    (key,) = [stat.key for stat in given.store.list("jobs/") if "/rejected/" in stat.key]
    story = json.loads(given.store.get(key))
    assert story["name"] == "notes.txt"
    assert story["event"]["image"] == 0
    assert {"reason", "message", "attempts", "round", "v"} <= story.keys()
