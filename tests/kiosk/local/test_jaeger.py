import os
import secrets
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from kiosk.local.stack import Local
from tests.servers import running

pytestmark = [pytest.mark.integration, pytest.mark.observe]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with running(tmp_path_factory.mktemp("jaeger"), "jaeger") as started:
        yield started


def span(trace: str, name: str) -> dict[str, Any]:
    now = time.time_ns()
    times = {"startTimeUnixNano": str(now - 1_000_000), "endTimeUnixNano": str(now)}
    return {"traceId": trace, "spanId": secrets.token_hex(8), "name": name, "kind": 1, **times}


def send(local: Local, spans: list[dict[str, Any]]) -> None:
    port = local.state.remembered_ports()["otlp-http"]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "stage-segment"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    httpx.post(f"http://127.0.0.1:{port}/v1/traces", json=body).raise_for_status()


def found(local: Local, trace: str) -> set[str]:
    answer = httpx.get(f"{local.status()['addresses']['jaeger']}/api/v3/traces/{trace}", timeout=20)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return set()
    resources = answer.raise_for_status().json()["result"]["resourceSpans"]
    return {span["name"] for each in resources for scope in each["scopeSpans"] for span in scope["spans"]}


def wait_for(local: Local, trace: str, names: set[str]) -> None:
    end = time.monotonic() + 60
    while found(local, trace) != names:
        assert time.monotonic() < end
        time.sleep(0.1)


def started_again(local: Local, restarts: int) -> bool:
    status = local.status()  # once: of two, the first may be from before the death was noticed
    return bool(status["ready"]) and status["processes"][0]["restarts"] > restarts


def test_a_trace_is_found_again_also_after_a_kill(local: Local) -> None:
    trace, names = secrets.token_hex(16), {f"step {number}" for number in range(30)}
    send(local, [span(trace, name) for name in names])
    wait_for(local, trace, names)
    addresses, [before] = local.status()["addresses"], local.status()["processes"]
    os.kill(before["pid"], signal.SIGKILL)
    end = time.monotonic() + 60
    while not started_again(local, before["restarts"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert local.status()["addresses"] == addresses
    assert found(local, trace) == names


def test_a_trace_that_nobody_sent_is_not_found(local: Local) -> None:
    assert found(local, secrets.token_hex(16)) == set()
