"""What becomes of an event whose stage fails."""

import asyncio
import dataclasses
import json

import pytest

from inference.triton import ModelFailed
from storage import keys
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams import breaker, intake
from streams.events import ImageFound, SliceListed, TilePlanned, UploadReceived
from streams.jobs import ledger
from streams.jobs.records import Round
from streams.stages import chain
from streams.work import policy
from streams.work.tracker import Past
from tests.streams.stand import CHAINED, Bright, Queue, archive, only_rejection, run, submit, tiff, tools


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_delay", lambda attempt, outage: 0.001)
    monkeypatch.setattr(breaker, "CANARY_SECONDS", 0.001)


def test_an_image_that_can_not_be_read_is_rejected_at_once_and_its_neighbours_finish() -> None:
    given = tools()
    submit(given, archive({"good.tif": tiff(), "notes.txt": b"cells looked happy", "cut.tif": tiff()[:3000]}))
    state = ledger.state(given.store, next(ledger.jobs(given.store)).job)
    assert (state.state, state.labelled, state.rejected) == ("done", 1, 2)
    for rejection in ledger.rejections(given.store, state.job):
        assert rejection.name in rejection.message
        assert rejection.attempts == 1


@pytest.mark.parametrize(("short", "ends"), [(2, "labelled"), (3, "too_large")])
def test_who_lacks_memory_is_not_at_once_who_takes_too_much(short: int, ends: str) -> None:
    predictor = Bright()
    predictor.fails = [MemoryError()] * short
    given = tools(predictor=predictor)
    submit(given, tiff(), name="a.tif")
    rejected = [
        (story.reason, story.attempts) for story in ledger.rejections(given.store, next(ledger.jobs(given.store)).job)
    ]
    assert rejected == ([] if ends == "labelled" else [("too_large", 3)])


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
    assert "pixel size" in only_rejection(given.store).message


def test_what_names_no_job_is_quarantined_by_where_it_stood() -> None:  # rule 8
    given = tools()
    message = policy.Message("uploads", 2, 77, b"\x00 junk")
    assert run(policy.answer(chain("unzip"), message, given)).events == ()
    assert given.store.get(keys.quarantine("uploads", 2, 77)) == b"\x00 junk"


def test_an_object_outside_the_input_prefixes_is_quarantined() -> None:  # rule 8
    given = tools()
    given.store.put("jobs/x/job.json", b"{}")
    event = UploadReceived(object="jobs/x/job.json")
    message = policy.Message("uploads", 0, 1, event.encode())
    assert run(policy.answer(chain("unzip"), message, given)).events == ()
    assert list(given.store.list("quarantine/"))


def test_an_outage_is_waited_out_and_no_attempt_counts() -> None:
    predictor = Bright()
    predictor.away = 50
    given = tools(predictor=predictor)
    submit(given, tiff(), name="a.tif")
    assert ledger.state(given.store, next(ledger.jobs(given.store)).job).labelled == 1


def test_a_store_that_comes_and_goes_loses_nothing() -> None:
    class Flaky(MemoryStore):
        calls = 0

        def put(self, key: str, data: bytes, note: str = "") -> str:
            self.calls += 1
            if self.calls % 3 == 0 and key.startswith("jobs/"):
                raise Unavailable("away")
            return super().put(key, data, note)

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
    given = dataclasses.replace(new, store=old.store, decoder=old.decoder)
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


def test_a_source_replaced_before_it_was_listed_is_a_rejected_job_that_ends() -> None:  # rule 9
    given = tools()
    given.store.put("inbox/nuclei/p.zip", archive({"a.tif": tiff()}))
    job = intake.accept(given.store, UploadReceived(object="inbox/nuclei/p.zip"), given.models)
    given.store.put("inbox/nuclei/p.zip", archive({"b.tif": tiff(seed=3)}))
    run(Queue(given, CHAINED).work(UploadReceived(object="inbox/nuclei/p.zip", job=job.job)))
    state = ledger.state(given.store, job.job)
    assert (state.state, state.images, state.rejected) == ("done", 1, 1)


def test_an_image_whose_outcome_was_stored_but_never_announced_still_ends_its_job() -> None:  # promise 2
    from tests.streams.test_layouts import small_tiles

    for data in (archive({"a.txt": b"no", "b.tif": tiff((150, 260))}), tiff((150, 260))):
        given = small_tiles(tools(chained_tiles=1))
        given.store.put("uploads/u/p", data)
        everything_but_collect = CHAINED[:-1]
        events = run(Queue(given, everything_but_collect).work(UploadReceived(object="uploads/u/p")))
        again = [event for event in events if event.topic in ("uploads", "predictions")]
        run(Queue(given, CHAINED).work(*again))
        assert ledger.state(given.store, next(ledger.jobs(given.store)).job).state == "done"


def test_a_tile_event_of_an_image_that_has_ended_starts_nothing_anew() -> None:  # rule 13
    from tests.streams.test_layouts import small_tiles

    given = small_tiles(tools(chained_tiles=1))
    events = submit(given, archive({"a.tif": tiff((150, 260))}))
    tiles = [event for event in events if isinstance(event, TilePlanned)]
    again = run(Queue(given, CHAINED).work(*tiles))
    assert {event.topic for event in again[len(tiles) :]} == {"outcomes"}
    assert not list(given.store.list("scratch/"))


@pytest.mark.parametrize("past", [Past.NONE, Past.BEGUN])
def test_a_copy_that_comes_after_the_end_leaves_nothing_between_the_stages(past: Past) -> None:
    from tests.streams.test_layouts import small_tiles

    given = small_tiles(tools(chained_tiles=1))
    events = submit(given, archive({"a.tif": tiff((150, 260))}))
    copy = next(event for event in events if isinstance(event, TilePlanned))
    given.store.put(copy.pixels, b"written again by who worked on the copy")
    later = small_tiles(tools(given.store, chained_tiles=1))
    if past is not Past.NONE:
        given.store.delete([keys.done(copy.job)])  # it is ticked off, and the job not over yet
    message = policy.Message(copy.address, 0, 0, copy.encode(), past=past)
    assert not run(policy.answer(chain("predict"), message, later)).events
    assert not list(given.store.list("scratch/"))


def test_a_copy_of_an_earlier_round_takes_nothing_from_a_later_one() -> None:
    from tests.streams.test_layouts import small_tiles

    given = small_tiles(tools(chained_tiles=1))
    events = submit(given, archive({"a.tif": tiff((150, 260))}))
    copy = next(event for event in events if isinstance(event, TilePlanned))
    ledger.write(
        given.store, keys.round_(copy.job, 1, "m"), Round(job=copy.job, round=1, images=[copy.image], created=1.0)
    )
    given.store.put(copy.pixels, b"of the later round, which is under way")
    later = small_tiles(tools(given.store, chained_tiles=1))
    assert not run(policy.answer(chain("predict"), policy.Message(copy.address, 0, 0, copy.encode()), later)).events
    assert given.store.get(copy.pixels)


def test_what_speaks_of_no_image_and_never_succeeds_is_set_aside() -> None:
    given = tools()
    message = policy.Message("slices", 1, 5, SliceListed(job="ghost", shard=0).encode())
    assert run(policy.answer(chain("announce"), message, given)).events == ()
    assert given.store.get(keys.quarantine("slices", 1, 5))


def test_waiting_for_room_is_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "EVENT_SECONDS", 0.05)

    async def work() -> policy.Answer:
        given = tools()
        given.store.put("uploads/u/a.tif", tiff())
        (found,) = [
            event
            for event in await Queue(given, ("unzip", "announce")).work(UploadReceived(object="uploads/u/a.tif"))
            if isinstance(event, ImageFound)
        ]
        full = given.for_run()
        await full.share.grow(1000)
        message = policy.Message("images.bulk", 0, 0, found.encode())
        answer = asyncio.create_task(policy.answer(chain("tile+predict+postprocess")[:1], message, given))
        await asyncio.sleep(0.5)
        monkeypatch.setattr(policy, "EVENT_SECONDS", 30)
        await full.share.release()
        return await answer

    assert [event.topic for event in run(work()).events] == ["tiles"]


@pytest.mark.parametrize(
    "evil", [b'{"object": "uploads/a\\u0000b"}', b'{"object": "uploads/../x"}', b'{"object": "uploads/x", "v": 2}']
)
def test_no_line_on_the_uploads_topic_can_hold_it_up(evil: bytes) -> None:
    given = tools()
    assert run(policy.answer(chain("unzip"), policy.Message("uploads", 0, 9, evil), given)).events == ()
    assert given.store.get(keys.quarantine("uploads", 0, 9)) == evil
