"""What a scrape reads, of this process or of another."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from kiosk.local.ports import other
from observability.metrics import BOOK

Told = dict[tuple[str, str, str], float]
"""Values by metric, without its prefix, stage and lane."""


def number(name: str, **labels: str) -> float:
    """One value of this process, 0 where it was never told."""
    return BOOK.registry.get_sample_value(name, labels) or 0.0


def absent(name: str, **labels: str) -> bool:
    """Whether this process tells nothing."""
    return BOOK.registry.get_sample_value(name, labels) is None


class Scraper:
    """Asks another process for its metrics."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __call__(self) -> Told:
        text = httpx.get(f"http://{self._address}/metrics", timeout=10).text
        return {
            (sample.name.removeprefix("monolayer_"), sample.labels["stage"], sample.labels["lane"]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if {"stage", "lane"} == sample.labels.keys()
        }

    def until(self, holds: Callable[[Told], bool], seconds: float = 60) -> Told:
        """What is told once something holds."""
        until, told = time.monotonic() + seconds, Told()
        while time.monotonic() < until:
            try:
                told = self()
            except httpx.TransportError:
                continue  # it starts
            if holds(told):
                return told
        raise AssertionError(f"not within {seconds} s; last: {told}")


@contextmanager
def serving(*module: str, **environment: str) -> Iterator[Scraper]:
    """Run a module that serves metrics, and lives until the end of the block."""
    address = f"127.0.0.1:{other(set())}"
    variables = {**os.environ, **environment, "MONOLAYER_METRICS": address}
    process = subprocess.Popen([sys.executable, "-m", *module], env=variables)
    try:
        yield Scraper(address)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
