"""`loadgen verify --traces`: what makes a trace complete, and what it names where something is missing."""

from collections.abc import Sequence
from typing import Any

import pytest

from loadgen.jaeger import Span, read
from loadgen.verify import traces
from loadgen.verify.traces import End, judge, trace_of
from observability.tracing import trace_id
from observability.tracing.spans import Span as Told
from tests.loadgen.stand import MemoryBucket
from tests.streams.stand import archive, run, tiff
from tests.streams.tracing.test_traces import Watched

LABELLED = End(0, 0, "labelled")
PHASES = {
    "unzip": [],
    "tile": ["wait", "look", "fetch", "decode", "plan"],
    "predict": ["take", "model"],
    "postprocess": ["post", "store", "announce"],
    "collect": ["wait"],
}


class Kept:
    """Traces in memory, as Jaeger would tell them."""

    def __init__(self, told: Sequence[Told]) -> None:
        self.spans = list(dict.fromkeys(Span(*_ids(each), *each[3:6], _words(each)) for each in told))

    def trace(self, trace: str) -> Sequence[Span]:
        return [span for span in self.spans if span.trace == trace]

    def roots(self, name: str, begun: int, ended: int, most: int) -> Sequence[Span]:
        return [span for span in self.spans if not span.parent and span.name == name and begun <= span.begun <= ended][
            :most
        ]


class Words(dict[str, str]):
    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


def _ids(told: Told) -> tuple[str, str, str]:
    return f"{told.trace:032x}", f"{told.span:016x}", f"{told.parent:016x}" if told.parent else ""


def _words(told: Told) -> dict[str, str]:
    return Words({key: str(value) for key, value in told.about.items()})


def life(**without: Any) -> list[Span]:
    """A complete trace of a second, but for what is left out."""
    spans = [Span("t", "root", "", "image", 0, 1000, {"outcome": "labelled"})]
    at = 0
    for stage, phases in PHASES.items():
        spans.append(Span("t", stage, "root", stage, at, at + 200, {}))
        for number, phase in enumerate(phases):
            step = 200 // len(phases)
            begun, ended = at + step * number, at + 200 if phase == phases[-1] else at + step * (number + 1)
            spans.append(Span("t", f"{stage}/{phase}", stage, phase, begun, ended, {}))
        at += 200
    model = next(span for span in spans if span.name == "model")
    spans.append(model._replace(span="model/slot", parent=model.span, name="slot", ended=model.begun))
    spans.append(model._replace(span="model/compute", parent=model.span, name="compute"))
    return [span for span in spans if span.span not in without.get("spans", ())]


def test_a_complete_trace_has_no_problem_and_covers_all_its_time() -> None:
    judged = judge(life(), LABELLED)
    assert (judged.problems, judged.covered, judged.wall, judged.widest) == ([], 1000, 1000, 0.0)


@pytest.mark.parametrize(
    ("without", "problem"),
    [
        ("root", "no trace: 18 spans"),
        ("predict", "no parent: 2 spans, the first take"),
        ("model/compute", "no model > compute"),
        ("collect/wait", "no collect > wait"),
        ("tile/wait", "no tile > wait"),
        ("postprocess/post", "gap: 6.6% of 0.00 s"),
    ],
)
def test_what_is_missing_is_named(without: str, problem: str) -> None:
    assert problem in judge(life(spans=[without]), LABELLED).problems


def test_a_stage_that_is_missing_is_named_with_its_parent() -> None:
    spans = [span for span in life() if not span.span.startswith(("predict", "model"))]
    problems = judge(spans, LABELLED).problems
    assert "no image > predict" in problems
    assert any(problem.startswith("gap: 20.0%") for problem in problems)


def test_two_roots_are_two_traces() -> None:
    spans = [*life(), Span("t", "other", "", "image", 5, 900, {})]
    assert judge(spans, LABELLED).problems == ["several roots: 20 spans"]


def test_one_span_with_two_times_was_told_twice() -> None:
    spans = [*life(), Span("t", "tile/fetch", "tile", "fetch", 241, 250, {})]
    assert "told twice: spans of one id with different times" in judge(spans, LABELLED).problems


def test_a_trace_that_says_otherwise_than_the_bucket_is_not_complete() -> None:
    assert judge(life(), End(0, 0, "rejected")).problems == ["outcome: the trace says labelled, the bucket rejected"]


def test_the_pairs_are_those_of_the_last_attempt() -> None:
    failed = [Span("t", "failed", "root", "tile", 190, 200, {}), Span("t", "f", "failed", "fetch", 190, 200, {})]
    assert judge([*life(), *failed], LABELLED).problems == []


def test_the_real_stages_leave_what_is_expected_and_a_stranger_derives_their_ids() -> None:
    watched = Watched()

    async def work() -> str:
        ends = await watched.ends(archive({"a.tif": tiff(), "b.tif": b"no image"}))
        await watched.collect(*ends)
        return ends[0].job

    job = run(work())
    report = traces.verify(MemoryBucket(watched.store), Kept(watched.exporter.spans), job)
    assert trace_of(job, 1, 0) == f"{trace_id(job, 1):032x}"
    assert report.images == 2
    assert set(report.problems) <= {"gap"}  # these images live for milliseconds
    assert report.coverage > 0.5


def test_an_image_without_a_trace_and_one_with_another_are_named() -> None:
    watched = Watched()

    async def work() -> str:
        ends = await watched.ends(archive({"a.tif": tiff(), "b.tif": tiff(seed=1)}))
        await watched.collect(*ends)
        return ends[0].job

    job = run(work())
    kept = Kept(watched.exporter.spans)
    kept.spans = [span for span in kept.spans if span.trace != trace_of(job, 1, 0)]
    [root] = [span for span in kept.spans if not span.parent and span.name == "image"]
    kept.spans.append(root._replace(trace="f" * 32))
    report = traces.verify(MemoryBucket(watched.store), kept, job)
    assert report.problems["no trace"] == 1
    assert report.problems["stray"] == 1
    assert f"image 0 has another trace, {'f' * 32}" in report.examples


def test_jaegers_answers_are_read() -> None:
    told = {
        "traceId": "t",
        "spanId": "s",
        "name": "image",
        "startTimeUnixNano": "5",
        "endTimeUnixNano": "9",
        "attributes": [{"key": "image", "value": {"intValue": "7"}}, {"key": "name", "value": {"stringValue": ""}}],
    }
    answer = {"result": {"resourceSpans": [{"scopeSpans": [{"spans": [told]}]}]}}
    assert list(read(answer)) == [Span("t", "s", "", "image", 5, 9, {"image": "7", "name": ""})]
    assert list(read({})) == []


def test_what_nobody_measured_is_not_counted_as_covered_though_a_phase_has_it() -> None:
    root, *below = [span._replace(begun=span.begun * 10**6, ended=span.ended * 10**6) for span in life()]
    about = {**root.about, "slits_us": "30000", "widest_slit_us": "20000"}
    judged = judge([root._replace(about=about), *below], LABELLED)
    assert judged.problems == []
    assert judged.covered == 970 * 10**6
    assert judged.widest_slit == pytest.approx(0.02)
