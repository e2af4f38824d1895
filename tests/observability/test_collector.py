"""The collector's configuration, run by a real collector (Jaeger's binary is one) before a real Jaeger."""

import asyncio
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

import observability
from kiosk.local import golang, jaeger
from kiosk.local.cache import cache_folder
from kiosk.local.ports import other
from kiosk.local.stack import Local
from observability.tracing.otlp import Otlp
from observability.tracing.spans import Span
from tests.servers import running

pytestmark = [pytest.mark.integration, pytest.mark.observe]
CONFIGURATION = Path(observability.__file__).parent / "collector.yaml"
SECONDS = 60.0


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with running(tmp_path_factory.mktemp("jaeger"), "jaeger") as started:
        yield started


@pytest.fixture(scope="module")
def collector(local: Local, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a collector that keeps nothing that it need not, and decides after a second."""
    listens, health, metrics = [other(set()) for _ in range(3)]
    file = tmp_path_factory.mktemp("collector") / "collector.yaml"
    file.write_text(yaml.safe_dump(_on_this_machine(listens, health, metrics)))
    environment = {
        "MONOLAYER_JAEGER_OTLP": str(local.status()["addresses"]["traces"]),
        "MONOLAYER_TRACES_KEPT": "0",
        "MONOLAYER_LISTEN": "127.0.0.1",
    }
    binary = golang.installed(jaeger.SERVER, cache_folder())
    process = subprocess.Popen([binary, "--config", file], env={**os.environ, **environment})
    try:
        _wait(lambda: httpx.get(f"http://127.0.0.1:{health}/status").is_success)
        yield f"127.0.0.1:{listens}"
    finally:
        process.terminate()
        process.wait(SECONDS)


def _on_this_machine(listens: int, health: int, metrics: int) -> dict[str, object]:
    text = CONFIGURATION.read_text().replace(":4317", f":{listens}").replace(":13133", f":{health}")
    configuration: dict[str, object] = yaml.safe_load(text.replace("8888", str(metrics)).replace("30s", "1s"))
    return configuration


def _wait(true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not _is(true):
        assert time.monotonic() < end
        time.sleep(0.1)


def _is(true: Callable[[], bool]) -> bool:
    try:
        return true()
    except httpx.HTTPError:
        return False


def _image(seconds: float = 1.0, attempts: int = 1, failed: bool = False) -> Span:
    trace, now = int(secrets.token_hex(16), 16), time.time_ns()
    about = {"attempts": attempts}
    return Span(trace, trace % 2**60 + 1, 0, "image", now - round(seconds * 1e9), now, about, failed=failed)


def test_what_was_rejected_retried_or_slow_is_kept_whatever_is_of_the_rest(local: Local, collector: str) -> None:
    kept = [_image(failed=True), _image(attempts=2), _image(seconds=90)]
    usual = [_image() for _ in range(20)]

    async def send() -> bool:
        exporter = Otlp(collector)
        try:
            return await exporter.export([*usual, *kept])
        finally:
            await exporter.close()

    assert asyncio.run(send())

    def there(span: Span) -> bool:
        address = f"{local.status()['addresses']['jaeger']}/api/v3/traces/{span.trace:032x}"
        return httpx.get(address, timeout=20).is_success

    for span in kept:
        _wait(lambda: there(span))  # noqa: B023
    assert not any(there(span) for span in usual)
