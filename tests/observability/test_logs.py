"""What log lines say, and how people read them."""

import io
import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from observability.logs import about, configure, is_about, log, readable
from observability.tracing import trace_id
from streams.jobs import ledger
from tests.streams.stand import archive, submit, tiff, tools

ROOT = Path(__file__).parents[2]
LINE = '{"job": "4f2b", "image": 3, "event": "image_labelled", "process": "stage-segment", "level": "info"}'


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a configured process writes to its standard error."""
    before = logging.getLogger().handlers[:]
    monkeypatch.setattr(sys, "stderr", text := io.StringIO())
    configure("a test")
    yield text
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_every_line_of_a_run_says_which_image_of_which_job_in_which_stage_and_trace(
    written: io.StringIO,
) -> None:
    given = tools()
    submit(given, archive({"good.tif": tiff(), "cut.tif": tiff()[:3000]}))
    job = next(ledger.jobs(given.store)).job
    said = {line["event"]: line for line in lines(written)}
    for event, image in (("image_labelled", 0), ("image_rejected", 1), ("stage_failed", 1)):
        line = said[event]
        assert (line["job"], line["image"], line["lane"]) == (job, image, "interactive")
        assert line["stage"] == "tile+predict+postprocess"
        assert line["trace"] == f"{trace_id(job, image):032x}"
        assert line["process"] == "a test"


def test_a_line_outside_a_run_is_about_nothing(written: io.StringIO) -> None:
    with about(job="4f2b", image=None):
        log().info("inside")
    log().info("outside")
    inside, outside = lines(written)
    assert inside["job"] == "4f2b"
    assert "image" not in inside
    assert "job" not in outside


def test_a_line_is_made_readable_and_what_is_no_line_of_ours_stays() -> None:
    told = readable(LINE)
    assert "image_labelled" in told
    assert "image=3" in told
    assert "{" not in told
    assert [readable(other) for other in ("Kafka started", "[1]", '{"a": 1}')] == ["Kafka started", "[1]", '{"a": 1}']


def test_lines_are_found_by_their_job() -> None:
    assert is_about(LINE, "4f2b")
    assert not any(is_about(other, "4f2b") for other in (LINE.replace("4f2b", "aaaa"), "job 4f2b", '"4f2b"'))


def test_what_happens_has_one_name_that_stands_in_one_place() -> None:
    named: Counter[str] = Counter()
    for path in (each for room in ("streams", "kiosk", "inference", "storage") for each in (ROOT / room).rglob("*.py")):
        named.update(re.findall(r'log\(\)\.\w+\(\s*"([^"]+)"', path.read_text()))
    assert len(named) > 20
    assert not [name for name, times in named.items() if times > 1 or not re.fullmatch(r"[a-z_]+", name)]
