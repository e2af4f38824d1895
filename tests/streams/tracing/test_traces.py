"""One trace per image: complete whoever dies when, the same spans when told twice, and nothing held up by it."""

import asyncio
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tifffile

from observability.tracing import sampled, span_id, trace_id, traceparent
from observability.tracing.spans import InMemory, Span
from storage import keys
from storage.memory import MemoryStore
from streams.events import Event, ImageEnded, ImageFound, SliceListed, UploadReceived
from streams.jobs import ledger
from streams.jobs.tallies import Tallies
from streams.stages import chain
from streams.tools import Tools
from streams.tracing.spent import Spent, Taken
from streams.tracing.traces import Sampling, Traces
from streams.work import policy
from tests.streams.stand import SIZED, Bright, archive, run, tiff, tools

STAGES = ["unzip", "tile", "predict", "postprocess", "collect"]


class Watched:
    """A pipeline without Kafka, in which everything is traced."""

    def __init__(self, sampling: Sampling | None = None, chained_tiles: int = 16) -> None:
        self.exporter = InMemory()
        self.store = MemoryStore()
        self.predictor = Bright()
        plain = tools(self.store, self.predictor, chained_tiles)
        traces = Traces(self.store, self.exporter, sampling or Sampling())
        self.tools: Tools = replace(plain, traces=traces, tallies=Tallies(self.store, 0.01, traces.flush))

    async def answer(self, name: str, event: Event, traced: bool = True, sent: float = 0.0) -> list[Event]:
        spent = Spent(Taken(name, "w1", sent or now()) if traced else None)
        message = policy.Message(event.address, 0, 0, event.encode())
        events = list((await policy.answer(chain(name), message, self.tools, spent)).events)
        assert self.tools.traces
        await self.tools.traces.tell_run(events, spent)
        return events

    async def ends(self, data: bytes, name: str = "plate.zip", traced: bool = True) -> list[ImageEnded]:
        """Up to the ends of all images, which nobody has ticked off yet."""
        self.store.put(f"uploads/u/{name}", data)
        found = await self.answer("unzip", UploadReceived(object=f"uploads/u/{name}", options=SIZED), traced)
        ended: list[ImageEnded] = []
        while found:
            event = found.pop(0)
            if isinstance(event, ImageEnded):
                ended.append(event)
            else:
                found += await self.answer(_chain(event), event, traced)
        return ended

    async def collect(self, *ends: ImageEnded, sent: float = 0.0) -> None:
        await asyncio.gather(*(self.answer("collect", each, sent=sent) for each in ends))


def stack(planes: int) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((planes, 64, 80), np.uint16), photometric="minisblack")
    return file.getvalue()


def now() -> float:
    return Spent().now() / 1e9


def _chain(event: Event) -> str:
    return {"ImageFound": "tile+predict+postprocess", "TilePlanned": "predict", "TilePredicted": "postprocess"}[
        type(event).__name__
    ]


def children(spans: Sequence[Span], parent: Span) -> list[Span]:
    return sorted((each for each in spans if each.parent == parent.span), key=lambda each: each.begun)


def root(spans: Sequence[Span], name: str = "image") -> Span:
    [found] = [each for each in spans if each.name == name and each.parent == 0]
    return found


def of_images(watched: Watched) -> list[Span]:
    """Without the job's own."""
    return [each for each in watched.exporter.spans if each.trace != root(watched.exporter.spans, "job").trace]


def covered(spans: Sequence[Span], whole: Span) -> float:
    """What part of a span's time its leaves cover."""
    parents = {each.parent for each in spans}
    reached, total = whole.begun, 0
    for leaf in sorted((each for each in spans if each.span not in parents), key=lambda each: each.begun):
        total += max(0, leaf.ended - max(reached, leaf.begun))
        reached = max(reached, leaf.ended)
    return total / (whole.ended - whole.begun)


def test_an_image_has_one_trace_from_its_upload_to_its_tick() -> None:
    watched = Watched()

    async def work() -> None:
        await watched.collect(*await watched.ends(archive({"a.tif": tiff()})))

    run(work())
    spans = of_images(watched)
    whole = root(spans)
    assert {each.trace for each in spans} == {trace_id(str(whole.about["job"]), 0)}
    assert [each.name for each in children(spans, whole)] == STAGES
    assert whole.about.items() >= {"image": 0, "name": "a.tif", "model": "nuclei", "outcome": "labelled"}.items()
    assert whole.begun == pytest.approx(ledger.read_job(watched.store, str(whole.about["job"])).created * 1e9, abs=1e3)


def test_stages_follow_one_another_without_a_gap_and_phases_lie_within_them() -> None:
    watched = Watched()

    async def work() -> None:
        await watched.collect(*await watched.ends(archive({"a.tif": tiff((512, 512))})))

    run(work())
    spans = of_images(watched)
    stages = children(spans, root(spans))
    for earlier, later in pairwise(stages):
        assert earlier.ended == pytest.approx(later.begun, abs=5e3)
    for stage in stages:
        assert all(stage.begun <= each.begun <= each.ended <= stage.ended for each in children(spans, stage))
    phases = {stage.name: [each.name for each in children(spans, stage)] for stage in stages}
    assert {"wait", "look", "fetch", "decode", "plan"} <= set(phases["tile"])
    assert {"take", "model"} <= set(phases["predict"])
    assert {"post", "store", "announce"} <= set(phases["postprocess"])
    [model] = [each for each in spans if each.name == "model"]
    assert [each.name for each in children(spans, model)] == ["slot", "queue", "compute"]
    assert covered(spans, root(spans)) > 0.8  # of 20 ms; `loadgen verify --traces` asks for more on the real system


def test_who_dies_between_trace_and_tick_is_followed_by_the_same_spans() -> None:
    watched = Watched()

    async def work() -> None:
        [ended] = await watched.ends(archive({"a.tif": tiff()}))
        sent = now()
        died = Traces(watched.store, watched.exporter)
        await died.tell_image(ended, Spent(Taken("collect", "w1", sent)))
        await died.flush()
        await watched.collect(ended, sent=sent)

    run(work())
    spans = of_images(watched)
    ids = [each.span for each in spans]
    assert len(ids) == 2 * len(set(ids))
    first, second = spans[: len(ids) // 2], spans[len(ids) // 2 :]
    assert [each[:6] for each in first if each.ended < first[0].ended] == [
        each[:6] for each in second if each.ended < second[0].ended
    ]
    assert [each[:5] for each in first] == [each[:5] for each in second]  # so a store keeps one


def test_an_end_that_comes_twice_is_one_trace() -> None:
    watched = Watched()

    async def work() -> None:
        [ended] = await watched.ends(archive({"a.tif": tiff()}))
        copy = ended.model_copy(update={"ran": None})
        await watched.collect(ended, copy)
        await watched.collect(copy)

    run(work())
    assert len({each.span for each in of_images(watched)}) == len(of_images(watched))


def test_what_was_measured_outlives_a_worker_that_dies_before_it_tells_anyone() -> None:
    watched = Watched()

    async def work() -> None:
        [ended] = await watched.ends(archive({"a.tif": tiff()}))  # its label is stored, and this event is lost
        source = ledger.read_shard(watched.store, ended.job, 0).images[0].source
        found = ImageFound(
            job=ended.job, image=0, name="a.tif", source=source, model="nuclei", model_digest="d", again=True
        )
        [known] = await watched.answer("tile+predict+postprocess", found)
        assert isinstance(known, ImageEnded)
        await watched.collect(known)

    run(work())
    spans = of_images(watched)
    assert [each.name for each in children(spans, root(spans))] == STAGES


def test_an_end_that_somebody_else_announces_again_is_traced_from_its_objects_note() -> None:
    watched = Watched()

    async def work() -> None:
        [ended] = await watched.ends(archive({"a.tif": tiff()}))
        await watched.collect(ended.model_copy(update={"ran": None}))

    run(work())
    spans = of_images(watched)
    assert [each.name for each in children(spans, root(spans))] == STAGES


def test_a_retried_image_shows_all_its_attempts() -> None:
    watched = Watched(Sampling(ratio=0.0))
    watched.predictor.fails = [RuntimeError("x"), RuntimeError("y")]

    async def work() -> None:
        await watched.collect(*await watched.ends(archive({"a.tif": tiff()})))

    run(work())
    spans = of_images(watched)
    stages = children(spans, root(spans))
    assert [(each.name, each.about.get("attempt")) for each in stages] == [
        ("unzip", None),
        ("tile", 1),
        ("predict", 1),
        ("tile", 2),
        ("predict", 2),
        ("tile", 3),
        ("predict", 3),
        ("postprocess", 3),
        ("collect", None),
    ]
    assert root(spans).about["attempts"] == 3


def test_a_rejected_image_is_kept_with_its_reason_whatever_the_ratio() -> None:
    watched = Watched(Sampling(ratio=0.0))

    async def work() -> None:
        await watched.collect(*await watched.ends(archive({"a.tif": b"no image", "b.tif": tiff()})))

    run(work())
    whole = root(of_images(watched))
    assert (whole.about["outcome"], whole.about["reason"], whole.failed) == ("rejected", "bad_input", True)


def test_an_image_of_many_tiles_carries_its_runs_through_their_topics() -> None:
    watched = Watched(chained_tiles=0)

    async def work() -> None:
        ends = await watched.ends(archive({"a.tif": tiff()}))
        await watched.collect(*ends)

    run(work())
    spans = of_images(watched)
    whole = root(spans)
    assert {each.name for each in children(spans, whole)} == set(STAGES)


def test_a_producer_that_wants_no_trace_gets_none() -> None:
    assert not sampled(traceparent("j", 1, sampled=False))
    assert sampled(traceparent("j", 1))
    assert sampled("")
    watched = Watched()

    async def work() -> None:
        ends = await watched.ends(archive({"a.tif": tiff()}), traced=False)
        assert [each.ran for each in ends] == [None]
        await asyncio.gather(*(watched.answer("collect", each, traced=False) for each in ends))

    run(work())
    assert not watched.exporter.spans


def test_nothing_is_held_up_while_nobody_takes_spans() -> None:
    watched = Watched()
    watched.exporter.away = True

    async def work() -> str:
        [ended] = await watched.ends(archive({"a.tif": tiff()}))
        await watched.collect(ended)
        return ended.job

    assert ledger.tallied(watched.store, run(work())).counts() == (1, 0)


def test_an_event_tells_of_its_runs_in_few_bytes() -> None:
    watched = Watched()
    [ended] = run(watched.ends(archive({"a.tif": tiff()})))
    bare = ended.model_copy(update={"ran": None})
    assert len(ended.encode()) - len(bare.encode()) < 800
    assert "ran" not in json.loads(bare.encode())


def test_ids_can_be_derived_by_anyone() -> None:
    trace = trace_id("j", 7, 1)
    assert traceparent("j", 7, 1) == f"00-{trace:032x}-{span_id(trace, 'image'):016x}-01"


def test_the_label_of_a_traced_image_has_the_same_bytes() -> None:
    stores: list[Any] = []
    for traced in (True, False):
        watched = Watched()
        [ended] = run(watched.ends(archive({"a.tif": tiff()}), traced=traced))
        stores.append(watched.store.get(keys.labels(ended.job, 0)))
    assert stores[0] == stores[1]


def test_a_job_has_a_trace_of_its_own_to_which_its_images_link() -> None:
    watched = Watched()

    async def work() -> None:
        await watched.collect(*await watched.ends(archive({"a.tif": tiff()})))

    run(work())
    whole = root(watched.exporter.spans, "job")
    assert [each.name for each in children(watched.exporter.spans, whole)] == ["upload", "unzip"]
    [link] = root(of_images(watched)).links
    assert (link.trace, link.span) == (whole.trace, whole.span)


def test_every_tile_among_others_is_told_of_once() -> None:
    watched = Watched(chained_tiles=0)

    async def work() -> None:
        await watched.collect(*await watched.ends(archive({"a.tif": stack(3)})))

    run(work())
    spans = of_images(watched)
    predicted = [each for each in children(spans, root(spans)) if each.name == "predict"]
    assert len(predicted) == len({each.about["tile"] for each in predicted}) > 1
    assert len({each.span for each in spans}) == len(spans)


def test_an_end_that_a_slice_meets_again_keeps_what_was_measured_by_whoever_made_it() -> None:
    watched = Watched()

    async def work() -> None:
        [ended] = await watched.ends(archive({"a.tif": tiff()}))  # its label is stored, and this event is lost
        again = SliceListed(job=ended.job, lane=ended.lane, shard=0, again=True)
        [known] = await watched.answer("announce", again)
        assert isinstance(known, ImageEnded)
        await watched.collect(known)

    run(work())
    spans = of_images(watched)
    assert [each.name for each in children(spans, root(spans))] == STAGES
