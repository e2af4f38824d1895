"""Stages end to end without Kafka: what leaves the process, what is stored, and that both layouts agree."""

import dataclasses
import io

import numpy as np
import pytest
import tifffile

from inference.models import shipped_models
from storage import keys
from storage.labels import read_labels
from storage.memory import MemoryStore
from streams.events import ImageEnded, SliceListed, TilePlanned, UploadReceived
from streams.jobs import ledger
from tests.streams.stand import CHAINED, Queue, archive, run, submit, tiff, tools


def small_tiles(given):  # type: ignore[no-untyped-def]
    model = dataclasses.replace(shipped_models()["nuclei"], max_tile=96, halo=16)
    return dataclasses.replace(given, models={"nuclei": model})


def job_of(store: MemoryStore) -> str:
    return next(ledger.jobs(store)).job


def test_a_zip_becomes_labels_a_manifest_and_an_end() -> None:
    given = tools()
    submit(given, archive({"a.tif": tiff(seed=1), "deep/b.tif": tiff(seed=2)}))
    job = job_of(given.store)
    state = ledger.state(given.store, job)
    assert (state.state, state.images, state.labelled, state.rejected, state.in_flight) == ("done", 2, 2, 0, 0)
    assert [entry.name for entry in ledger.entries(given.store, job)] == ["a.tif", "deep/b.tif"]
    labels = read_labels(given.store.get(keys.labels(job, 0)))
    assert labels.labels.shape == (1, 64, 80)
    assert labels.labels.max() > 0
    assert labels.facts["image"] == "a.tif"
    assert float(labels.facts["focus"]) > 0
    assert labels.facts["saturated"] == "0"
    assert not list(given.store.list(keys.OPEN))


def test_a_single_image_is_a_job_of_one() -> None:
    given = tools()
    submit(given, tiff(), name="field.tif")
    state = ledger.state(given.store, job_of(given.store))
    assert (state.images, state.labelled) == (1, 1)


@pytest.mark.parametrize("planes", [1, 3])
def test_both_layouts_give_the_same_bytes(planes: int) -> None:  # rules 14 and 15
    data = tiff((150, 260)) if planes == 1 else stack(planes)
    stored = []
    for chained_tiles in (1000, 1):
        given = small_tiles(tools(chained_tiles=chained_tiles))
        events = submit(given, archive({"a.tif": data}))
        fanned_out = any(isinstance(event, TilePlanned) for event in events)
        assert fanned_out == (chained_tiles == 1)
        stored.append(given.store.get(keys.labels(job_of(given.store), 0)))
        assert not list(given.store.list("scratch/"))
    assert stored[0] == stored[1]


def stack(planes: int) -> bytes:
    one = [tifffile.imread(io.BytesIO(tiff((120, 130), seed=seed))) for seed in range(planes)]
    file = io.BytesIO()
    tifffile.imwrite(file, np.stack(one), metadata={"axes": "ZYX"}, ome=True)
    return file.getvalue()


def test_everything_done_twice_leaves_the_same_bucket() -> None:  # promise 3
    given = small_tiles(tools(chained_tiles=1))
    data = archive({"a.tif": tiff((150, 260)), "b.tif": tiff()})
    events = submit(given, data)
    before = {stat.key: stat.etag for stat in given.store.list("jobs/")}
    run(Queue(given, CHAINED).work(*[event for event in events if not isinstance(event, UploadReceived)]))
    submit(given, data)
    assert {stat.key: stat.etag for stat in given.store.list("jobs/")} == before


def test_the_same_object_announced_twice_is_one_job() -> None:  # rule 8
    given = tools()
    data = archive({"a.tif": tiff()})
    submit(given, data)
    submit(given, data)
    assert len(list(ledger.jobs(given.store))) == 1


def test_other_options_make_another_job() -> None:  # rule 8
    given = tools()
    submit(given, tiff(), name="a.tif")
    submit(given, tiff(), name="a.tif", options={"diameter": 12})
    assert len(list(ledger.jobs(given.store))) == 2


def test_more_images_than_a_shard_holds_are_announced_slice_by_slice() -> None:  # rule 10
    given = tools()
    submit(given, archive({f"{number:05d}.txt": b"no image" for number in range(1002)}))
    job = job_of(given.store)
    index = ledger.read_index(given.store, job)
    assert index is not None
    assert (index.images, index.shards) == (1002, 2)
    state = ledger.state(given.store, job)
    assert (state.state, state.rejected) == ("done", 1002)


def test_a_slice_announced_again_announces_only_what_has_no_outcome() -> None:  # rule 10
    given = tools()
    submit(given, archive({"a.tif": tiff(), "b.tif": tiff()}))
    given.store.delete([keys.labels(job_of(given.store), 1)])
    again = run(Queue(given, ("announce",)).work(SliceListed(job=job_of(given.store), shard=0)))
    assert [event.image for event in again if event.topic == "images"] == [1]


def test_an_outcome_event_is_a_hint_and_never_a_number() -> None:  # rule 2
    given = tools()
    submit(given, archive({"a.tif": tiff(), "b.tif": tiff()}))
    job = job_of(given.store)
    ended = ImageEnded(job=job, image=0, outcome="labelled")
    run(Queue(given, CHAINED).work(ended, ended, ended))
    assert ledger.state(given.store, job).labelled == 2


@pytest.mark.parametrize(
    ("shape", "diameter", "why"),
    [
        ((1, 1, 200_001), 24.0, "a side of 200001 pixels"),
        ((1, 1, 60_000), 6.0, "a side of 240000 pixels"),
        ((10_001, 4, 5), 24.0, "10001 planes"),
    ],
)
def test_what_no_plan_can_hold_is_too_large_at_once(shape: tuple[int, int, int], diameter: float, why: str) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros(shape, np.uint16), imagej=True, truncate=True, metadata={"axes": "TYX"})
    given = tools()
    submit(given, file.getvalue(), name="long.tif", options={"diameter": diameter})
    [story] = ledger.rejections(given.store, job_of(given.store))
    assert (story.reason, story.attempts) == ("too_large", 1)
    assert why in story.message
