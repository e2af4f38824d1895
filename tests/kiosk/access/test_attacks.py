"""Path tricks in names, oversized bodies, slow clients, and what browsers are told."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from kiosk.api import bodies, hasty
from kiosk.api.bodies import LARGEST
from kiosk.api.guard import Access
from kiosk.api.hasty import Hasty
from storage import keys
from storage.memory import MemoryStore
from streams.jobs import ledger
from tests.kiosk.front import InProcess, Told, app_of, made_job, serving

V1 = "/api/v1"
TRICKS = [
    "../../jobs/j1/job.json",
    "..\\..\\jobs",
    "/etc/passwd",
    "a/../../b",
    "x\x00.tif",
    "\n",
    "..",
    ".",
    "con",
    "‮fit.tif",
    "ä" * 900,
]


@pytest.mark.parametrize("name", TRICKS)
def test_a_name_with_a_path_stays_below_its_own_upload(name: str) -> None:
    store = MemoryStore()
    http = InProcess(app_of(store))
    answers = [http.request("POST", f"{V1}/jobs", params={"name": name}, content=b"x")]
    answers.append(http.post(f"{V1}/uploads", json={"name": name}))
    assert all(answer.status_code in (201, 422) for answer in answers)
    for stat in store.list(""):
        first, upload, *rest = stat.key.split("/")
        assert first in ("uploads", "open", "jobs") and ".." not in stat.key and "\x00" not in stat.key
        assert first != "uploads" or (len(upload) == 32 and len(rest) == 1)


@pytest.mark.parametrize(
    "job", ["..", "../../access/tokens/x", "j1/../j1", "%2e%2e", "j1\x00", "ä", "x" * 65, "~", "j 1"]
)
def test_a_job_that_is_a_path_is_asked_of_nobody(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(ledger, "read_job", lambda store, name: asked.append(name))
    http = InProcess(app_of(MemoryStore()))
    for method, rest in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("GET", "/images/0/trace")):
        assert http.request(method, f"{V1}/jobs/{quote(job, safe='')}{rest}").status_code in (404, 405)
    assert asked == []


async def pieces(piece: bytes, count: int, seconds: float = 0) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield piece
        await asyncio.sleep(seconds)


def refused(answer, status: int, word: str) -> None:  # type: ignore[no-untyped-def]
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert word in answer.json()["detail"]


def test_a_body_larger_than_any_that_is_meant_is_refused_with_and_without_a_length() -> None:
    http = InProcess(app_of(MemoryStore()))
    for path in ("/uploads", "/uploads/u/complete", "/jobs/j1/replay", "/jobs/j1/release"):
        refused(http.post(f"{V1}{path}", content=b"[" * (LARGEST + 1)), 413, "2 MiB")
        refused(http.post(f"{V1}{path}", content=pieces(b" " * 1024**2, 3)), 413, "2 MiB")


def test_a_body_is_not_waited_for_in_front_of_a_closed_door() -> None:
    http = InProcess(app_of(MemoryStore(), access=Access(login=True)))
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    assert http.post(f"{V1}/jobs?name=a.tif", content=body()).status_code == 401
    assert not read


def test_the_parts_of_the_largest_upload_fit() -> None:
    parts = [{"number": number + 1, "etag": "0" * 64} for number in range(10_000)]
    http = InProcess(app_of(MemoryStore()))
    assert http.post(f"{V1}/uploads/u/complete", json={"parts": parts}).status_code == 404


def test_a_body_that_comes_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    http = InProcess(app_of(MemoryStore()))
    answer = http.post(f"{V1}/uploads", content=pieces(b" ", 1000, 0.01))
    refused(answer, 408, "did not arrive")
    assert answer.headers["connection"] == "close"


def test_who_sends_a_small_file_slowly_keeps_no_other_waiting() -> None:
    http = InProcess(app_of(MemoryStore()))
    begun, go = threading.Event(), threading.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await asyncio.to_thread(go.wait, 30)
        yield b"y"

    answers: list[int] = []
    slow = threading.Thread(
        target=lambda: answers.append(http.post(f"{V1}/jobs?name=slow.tif", content=slowly()).status_code)
    )
    slow.start()
    assert begun.wait(30)
    assert http.post(f"{V1}/jobs?name=fast.tif", content=b"x").status_code == 201
    assert answers == []
    go.set()
    slow.join(30)
    assert answers == [201]


@contextmanager
def connected() -> Iterator[socket.socket]:
    with (
        serving(app_of(MemoryStore()), http=Hasty) as address,
        socket.create_connection(("127.0.0.1", int(address.rsplit(":")[-1])), 20) as slow,
    ):
        yield slow


@pytest.mark.parametrize("sent", [b"", b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
def test_a_head_that_never_comes_is_not_waited_for(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hasty, "HEAD_SECONDS", 0.2)
    with connected() as slow:
        slow.sendall(sent)
        assert slow.recv(1000) == b""  # it hung up


def test_a_second_head_that_never_comes_is_not_waited_for_and_the_first_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hasty, "HEAD_SECONDS", 0.5)
    with connected() as slow:
        slow.sendall(b"GET /api/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert slow.recv(10_000).startswith(b"HTTP/1.1 200")
        slow.sendall(b"G")
        while got := slow.recv(10_000):
            assert not got.startswith(b"HTTP")


def test_every_answer_tells_browsers_to_do_nothing_else_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    made_job(store, {"a.tif": b"a"})
    http = InProcess(app_of(store, Told()))
    monkeypatch.setattr(store, "start_upload", lambda key: 1 / 0)
    answers = [
        http.get(f"{V1}{path}") for path in ("/jobs", "/jobs/none", "/openapi.json", "/docs", "/jobs/j1/results")
    ]
    answers += [http.post(f"{V1}/uploads", json={"name": "a"}), http.post(f"{V1}/models"), http.get("/nothing")]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 200, 200, 500, 405, 404]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" not in answer.headers
    policies = [answer.headers["content-security-policy"] for answer in answers]
    assert all(policy.startswith("default-src 'none'") for policy in policies[:7])
    assert "style-src 'unsafe-inline'" in policies[3] and "style-src" not in policies[0]
    assert "default-src 'self'" in policies[7] and "unsafe-eval" not in policies[7]
    assert answers[0].headers["cache-control"] == "no-store"


def test_what_may_be_asked_of_a_path_is_told_in_whole() -> None:
    http = InProcess(app_of(MemoryStore()))
    assert http.request("PUT", f"{V1}/uploads/u/parts").headers["allow"] == "GET, POST"
    assert http.request("PUT", f"{V1}/models").headers["allow"] == "GET"


def test_behind_https_browsers_are_told_to_stay_there() -> None:
    http = InProcess(app_of(MemoryStore()))
    answer = http.get(f"https://127.0.0.1{V1}/health")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_no_answer_of_the_api_holds_a_key_of_the_store() -> None:
    assert keys.TOKENS not in InProcess(app_of(MemoryStore())).get(f"{V1}/openapi.json").text
