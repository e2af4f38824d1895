"""`monolayer trace`: an image's time as a waterfall, a job's slowest images, and what is said where nothing is kept."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from kiosk.api.app import create_app
from kiosk.api.jaeger import AWAY, Jaeger, Told, read
from kiosk.api.traces import OFF
from kiosk.commands import screen
from observability.tracing import trace_id
from storage.memory import MemoryStore
from tests.kiosk.front import MODELS, Bucket, InProcess, app_of, made_job, serving
from tests.kiosk.front import Told as Announcer
from tests.kiosk.test_cli import last_json, monolayer

NOW = time.time()


class Kept:
    """Traces in memory."""

    def __init__(self) -> None:
        self.spans: list[Told] = []

    def trace(self, trace: int) -> list[Told]:
        return [span for span in self.spans if span.trace == f"{trace:032x}"]

    def images(self, since: float, until: float, most: int) -> list[Told]:
        return [span for span in self.spans if span.name == "image" and since <= span.begun / 1e9 <= until]


def span(trace: int, name: str, parent: str, begun: float, ended: float, about: dict[str, str] | None = None) -> Told:
    times = round((NOW + begun) * 1e9), round((NOW + ended) * 1e9)
    return Told(f"{trace:032x}", name, parent, name, *times, about or {})


@pytest.fixture(scope="module")
def traced() -> Iterator[tuple[str, Kept]]:
    store, kept = MemoryStore(), Kept()
    made_job(store, {"a.tif": b"a", "b.tif": b"b"}, created=NOW)
    for number, seconds in ((0, 1.0), (1, 4.0)):
        trace = trace_id("j1", number)
        about = {"job": "j1", "image": str(number), "name": "ab"[number] + ".tif", "outcome": "labelled"}
        kept.spans += [
            span(trace, "image", "", 0, seconds, about),
            span(trace, "unzip", "image", 0, seconds / 2),
            span(trace, "tile", "image", seconds / 2, seconds, {"attempt": "2"}),
            span(trace, "fetch", "tile", seconds / 2, seconds * 0.75),
        ]
    kept.spans += [span(trace_id("j1"), "job", "", 0, 0.5), span(trace_id("j1"), "upload", "job", 0, 0.25)]
    with serving(create_app(store, Announcer(), MODELS, kept=kept)) as address:
        yield address, kept


def test_whether_traces_are_kept_is_told_before_anybody_asks_for_one(traced: tuple[str, Kept]) -> None:
    assert httpx.get(f"{traced[0]}/api/v1/health").json()["traces"] is True
    assert InProcess(app_of(MemoryStore())).get("/api/v1/health").json()["traces"] is False


def test_an_images_time_is_shown_stage_within_image_and_phase_within_stage(
    traced: tuple[str, Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = monolayer("trace", "j1", "1", api=traced[0]).stdout
    assert told.splitlines() == [
        "what\tafter\tseconds\tshare",
        "image\t0.000\t4.000\t100.0%",
        "unzip\t0.000\t2.000\t50.0%",
        "tile (attempt 2)\t2.000\t2.000\t50.0%",
        "fetch\t2.000\t1.000\t25.0%",
    ]
    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    drawn = [line.rstrip() for line in monolayer("trace", "j1", "1", api=traced[0]).stdout.splitlines()]
    assert drawn[4].startswith("    fetch")
    assert drawn[4].endswith(" " * 16 + "█" * 8)


def test_an_image_may_be_named(traced: tuple[str, Kept]) -> None:
    by_name, by_number = (monolayer("trace", "j1", image, "--json", api=traced[0]) for image in ("b.tif", "1"))
    assert last_json(by_name) == last_json(by_number)
    assert last_json(by_name)["trace"] == f"{trace_id('j1', 1):032x}"
    result = monolayer("trace", "j1", "c.tif", api=traced[0])
    assert (result.exit_code, result.stderr) == (1, "Job j1 has no image called 'c.tif'.\n")


def test_without_an_image_the_job_is_shown_and_its_slowest_images(traced: tuple[str, Kept]) -> None:
    told = monolayer("trace", "j1", api=traced[0]).stdout
    assert "upload\t0.000\t0.250\t50.0%" in told
    assert told.index("1\tb.tif\t4.000\tlabelled\t1") < told.index("0\ta.tif\t1.000\tlabelled\t1")


def test_an_image_without_a_trace_is_said_to_have_none(traced: tuple[str, Kept]) -> None:
    result = monolayer("trace", "j1", "7", api=traced[0])
    assert result.exit_code == 1
    assert result.stderr.startswith("There is no trace of image 7 of job j1: it has not ended yet")


def test_where_nothing_is_traced_one_sentence_says_so(door: tuple[str, Bucket]) -> None:
    made_job(door[1], {"a.tif": b"a"})
    result = monolayer("trace", "j1", "0", api=door[0])
    assert (result.exit_code, result.stderr) == (1, OFF + "\n")


def test_a_jaeger_that_is_away_is_said_to_be() -> None:
    store = MemoryStore()
    made_job(store, {"a.tif": b"a"})
    http = InProcess(create_app(store, Announcer(), MODELS, kept=Jaeger("http://127.0.0.1:9")))
    answer = http.get("/api/v1/jobs/j1/images/0/trace")
    assert (answer.status_code, answer.json()["detail"]) == (503, AWAY)


def test_a_span_told_twice_is_shown_once() -> None:
    told = {"traceId": "t", "spanId": "s", "name": "collect", "startTimeUnixNano": "5", "endTimeUnixNano": "9"}
    later = told | {"endTimeUnixNano": "11"}
    answer = {"result": {"resourceSpans": [{"scopeSpans": [{"spans": [told, later]}]}]}}
    assert list(read(json.loads(json.dumps(answer)))) == [Told("t", "s", "", "collect", 5, 11, {})]
