"""Metrics: each stands once, is explained, and is served."""

import socket
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from observability import metrics
from observability.instruments import Book, Label
from observability.metrics import BOOK, DCGM, TRITON
from observability.page import page

PAGE = Path(metrics.__file__).parent / "metrics.md"
UNITS = ("_seconds", "_events", "_images", "_events_per_second", "_attempts", "_dollars", "_total")
STATES = {"monolayer_breaker_open", "monolayer_model_held", "monolayer_backlog_known", "monolayer_build_info"}
"""What is 0 or 1 has no unit."""


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text() == page(BOOK, TRITON, DCGM), "print it anew: python -m observability.metrics"


@pytest.mark.parametrize("entry", BOOK.entries.values(), ids=lambda entry: entry.name)
def test_a_name_tells_the_unit_and_a_sentence_the_meaning(entry: metrics.instruments.Entry) -> None:
    assert entry.name.endswith(UNITS) or entry.name in STATES
    assert entry.name.endswith("_total") == (entry.kind == "counter")
    assert entry.meaning.endswith(".")
    assert all(label.values or label.bound for label in entry.labels)


def test_a_scrape_tells_every_metric_there_is() -> None:
    server = metrics.serve("127.0.0.1:0")
    assert server is not None
    try:
        text = httpx.get(f"http://127.0.0.1:{server.server_port}/metrics").text
    finally:
        server.shutdown()
        server.server_close()
    assert {f"# TYPE {entry.name} {entry.kind}" for entry in BOOK.entries.values()} <= set(text.splitlines())
    assert f'monolayer_build_info{{version="{version("monolayer")}"}} 1.0' in text
    assert "_created" not in text


def test_without_an_address_nothing_is_served() -> None:
    assert metrics.serve("") is None


def test_a_taken_address_costs_the_metrics_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert metrics.serve(f"127.0.0.1:{taken.getsockname()[1]}") is None


@pytest.mark.parametrize("address", ["9090", ":9090", "127.0.0.1", "127.0.0.1:http"])
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        metrics.serve(address)


def test_what_is_asked_for_at_a_scrape_is_absent_while_nobody_can_tell() -> None:
    book, known = Book(), {("tile",): 3.0}
    lag = book.subject("Backlog").live("monolayer_lag_events", "Events.", Label("stage", ("tile",)))
    lag.ask(lambda: known)
    lag.ask(lambda: {("unzip",): 1.0})
    told = [book.registry.get_sample_value("monolayer_lag_events", {"stage": stage}) for stage in ("tile", "unzip")]
    assert told == [3.0, 1.0]
    known.clear()
    assert book.registry.get_sample_value("monolayer_lag_events", {"stage": "tile"}) is None


def test_a_metric_of_another_family_is_refused() -> None:
    with pytest.raises(AssertionError):
        Book().subject("Stages").counter("events_total", "Events.")
