import base64
import hmac
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kiosk.api.uploads import MIB, part_size
from kiosk.contract import PART_SIZE, SMALL_UPLOAD
from storage import keys
from storage.objects import Unavailable
from tests.kiosk.front import Bucket, InProcess, Told, app_of

V1 = "/api/v1"
NEW = {"name": "plates/week 1.zip", "model": "nuclei", "options": {"diameter": 24}}


class Door:
    def __init__(self) -> None:
        self.store, self.told = Bucket(), Told()
        self.http = InProcess(app_of(self.store, self.told))

    def start(self, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(f"{V1}/uploads", json=NEW | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def send(self, upload: str, *bodies: bytes) -> list[dict[str, Any]]:
        addresses = self.http.post(f"{V1}/uploads/{upload}/parts?first=1&count={len(bodies)}").json()
        for address, body in zip(addresses, bodies, strict=True):
            assert self.http.request("PUT", address["url"], content=body).status_code == 200
        return list(self.http.get(f"{V1}/uploads/{upload}/parts").json())

    def complete(self, upload: str, parts: list[dict[str, Any]]) -> Any:
        return self.http.post(f"{V1}/uploads/{upload}/complete", json={"parts": parts})


@pytest.fixture
def door() -> Door:
    return Door()


def refused(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "!"))
    assert "\n" not in problem["detail"]
    return str(problem["detail"])


def test_an_upload_in_parts_becomes_an_announced_job(door: Door) -> None:
    started = door.start()
    assert started["part_size"] == PART_SIZE
    assert started["key"].startswith("uploads/") and started["key"].endswith("/week_1.zip")
    answer = door.complete(started["upload"], door.send(started["upload"], b"first", b"second"))
    [event] = door.told.events
    assert answer.json() == {"job": event.job, "again": False, "signed_with": ""}
    assert door.store.get(started["key"]) == b"firstsecond"
    job = json.loads(door.store.get(keys.job(event.job)))
    assert job["name"] == NEW["name"]
    assert job["options"] == {"diameter": 24.0}
    assert door.store.stat(keys.open_job(event.job))


def test_completing_twice_gives_the_same_job(door: Door) -> None:
    upload = door.start()["upload"]
    parts = door.send(upload, b"all")
    assert door.complete(upload, parts).json() == door.complete(upload, parts).json()


def test_an_upload_that_completes_while_kafka_is_away_is_kept_and_completes_later(door: Door) -> None:
    upload = door.start()["upload"]
    parts = door.send(upload, b"all")
    door.told.away = True
    answer = door.complete(upload, parts)
    assert "complete the upload again" in refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    door.told.away = False
    assert door.complete(upload, parts).json()["job"] == door.told.events[0].job


def test_another_process_of_the_api_goes_on_with_an_upload(door: Door) -> None:
    upload = door.start()["upload"]
    parts = door.send(upload, b"all")
    other = InProcess(app_of(door.store, door.told))
    assert other.post(f"{V1}/uploads/{upload}/complete", json={"parts": parts}).status_code == 200


def test_a_resumed_upload_learns_which_parts_are_there(door: Door) -> None:
    upload = door.start()["upload"]
    assert [part["number"] for part in door.send(upload, b"one", b"two")] == [1, 2]


def test_parts_may_pass_through_the_api_where_the_store_can_not_be_reached(door: Door) -> None:
    upload = door.http.post(f"{V1}/uploads", json=NEW).json()["upload"]
    answer = door.http.request("PUT", f"{V1}/uploads/{upload}/parts/1", content=b"pixels")
    assert answer.status_code == 200
    parts = door.http.get(f"{V1}/uploads/{upload}/parts").json()
    assert parts == [answer.json()]
    assert door.http.post(f"{V1}/uploads/{upload}/complete", json={"parts": parts}).status_code == 200
    late = door.http.request("PUT", f"{V1}/uploads/{upload}/parts/1", content=b"pixels")
    assert late.status_code == 404 and "begin a new one" in late.json()["detail"]
    assert door.http.request("PUT", f"{V1}/uploads/nonsense/parts/1", content=b"x").status_code == 404
    assert door.http.request("PUT", f"{V1}/uploads/{upload}/parts/0", content=b"x").status_code == 422


def test_a_part_that_was_never_sent_is_named(door: Door) -> None:
    upload = door.start()["upload"]
    [part] = door.send(upload, b"one")
    assert "don't make a file" in refused(door.complete(upload, [part, {"number": 2, "etag": "x"}]), 400)


def test_a_cancelled_upload_is_gone(door: Door) -> None:
    upload = door.start()["upload"]
    parts = door.send(upload, b"one")
    assert door.http.request("DELETE", f"{V1}/uploads/{upload}").status_code == 204
    assert door.http.request("DELETE", f"{V1}/uploads/{upload}").status_code == 204
    assert "begin a new one" in refused(door.complete(upload, parts), 404)
    assert not door.told.events


def test_an_unknown_model_is_refused_before_any_byte_is_sent(door: Door) -> None:
    detail = refused(door.http.post(f"{V1}/uploads", json=NEW | {"model": "nuclie"}), 400)
    assert "nuclie" in detail and "nuclei" in detail


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"options": {"diameter": -1}}, "diameter"),
        ({"options": {"colour": "red"}}, "colour"),
        ({"options": {"channel": 0}}, "channel"),
        ({"name": ""}, "name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_that_names_it(door: Door, fields: dict[str, Any], word: str) -> None:
    assert word.casefold() in refused(door.http.post(f"{V1}/uploads", json=NEW | fields), 422).casefold()


def forged(**fields: object) -> str:
    token = {
        "key": "jobs/j1/job.json",
        "multipart": "u",
        "name": "n",
        "model": "nuclei",
        "options": {},
        "submission": "",
    }
    data = json.dumps(token | fields).encode()
    signature = hmac.digest(b"", b"upload\0" + data, "sha256")  # of an API without a secret
    return base64.urlsafe_b64encode(signature + data).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "nothing",
        "ä",
        forged(),
        forged(key="uploads/../jobs/j1/job.json"),
        forged(key="uploads/" + "0" * 32 + "/../../x"),
        forged(key="uploads/" + "0" * 32 + "/x\n"),
        forged(surprise=1),
    ],
)
def test_a_forged_token_reaches_nothing_outside_uploads(door: Door, token: str) -> None:
    door.store.put("jobs/j1/job.json", b"{}")
    for answer in (
        door.http.post(f"{V1}/uploads/{token}/parts"),
        door.http.get(f"{V1}/uploads/{token}/parts"),
        door.http.request("DELETE", f"{V1}/uploads/{token}"),
        door.complete(token, [{"number": 1, "etag": "x"}]),
    ):
        assert "no such upload" in refused(answer, 404)


def test_a_bit_that_flips_when_a_repeated_request_is_compared_makes_no_other_file_of_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flipped(store: Bucket, key: str, *given: Any, **named: Any) -> bytes:
        data = get(store, key, *given, **named)
        return data.replace(b"pixels", b"pixelS") if key.startswith(keys.UPLOADS) else data

    get = Bucket.get
    monkeypatch.setattr(Bucket, "get", flipped)
    query = {"name": "cells.tif", "submission": "monday"}
    first, again = (door.http.post(f"{V1}/jobs", params=query, content=b"pixels") for _ in range(2))
    assert (again.status_code, again.json()["job"]) == (200, first.json()["job"])


def test_a_small_file_is_sent_in_one_request(door: Door) -> None:
    query = {"name": "cells.tif", "model": "nuclei", "pixel_size": "0.5"}
    answer = door.http.post(f"{V1}/jobs", params=query, content=b"pixels")
    [event] = door.told.events
    assert answer.status_code == 201
    assert answer.json() == {"job": event.job, "again": False, "signed_with": ""}
    job = json.loads(door.store.get(keys.job(event.job)))
    assert (job["name"], job["options"]) == ("cells.tif", {"pixel_size": 0.5})
    assert door.store.get(job["object"]) == b"pixels"


@pytest.mark.parametrize(
    ("query", "body", "status", "word"),
    [
        ({"name": "x.tif"}, b"", 400, "empty"),
        ({"name": "x.tif", "diameter": "-3"}, b"x", 422, "diameter"),
        ({"name": "x.tif", "diameter": "big"}, b"x", 422, "diameter"),
        ({"name": "x.tif", "colour": "red"}, b"x", 422, "colour"),
        ({}, b"x", 422, "name is missing"),
        ({"name": "x.tif", "model": "y"}, b"x", 400, "'y'"),
    ],
)
def test_a_small_file_with_nonsense_is_refused(
    door: Door, query: dict[str, str], body: bytes, status: int, word: str
) -> None:
    assert word.casefold() in refused(door.http.post(f"{V1}/jobs", params=query, content=body), status).casefold()
    assert not list(door.store.list("uploads/"))


async def _pieces(piece: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield piece


def test_a_small_file_that_is_none_is_refused_with_and_without_a_declared_length(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Content-Length": str(SMALL_UPLOAD + 1)}
    assert "in parts" in refused(door.http.post(f"{V1}/jobs?name=x", content=b"x", headers=headers), 413)
    monkeypatch.setattr("kiosk.api.uploads.SMALL_UPLOAD", 10)
    assert "in parts" in refused(door.http.post(f"{V1}/jobs?name=x", content=_pieces(b"12345", 3)), 413)


def test_a_small_file_is_not_kept_in_memory_after_it_was_stored() -> None:
    class Nowhere(Bucket):
        def put(self, key: str, data: bytes, note: str = "") -> str:
            return super().put(key, data if len(data) < 10_000 else b"large")

    http = InProcess(app_of(Nowhere()))
    tracemalloc.start()
    try:
        for number in range(3):
            http.post(f"{V1}/jobs?name={number}.tif", content=_pieces(bytes(MIB), 20))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10 * MIB
    assert peak < 60 * MIB


def test_parts_grow_so_that_any_file_fits_into_10000() -> None:
    assert part_size(None) == part_size(10**9) == PART_SIZE
    for size in (200 * 10**9, 10**12, 5 * 10**12):
        assert size / part_size(size) <= 10_000
        assert part_size(size) % MIB == 0


def test_a_store_that_is_away_is_an_outage_that_says_when_to_come_back(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("connection refused")

    monkeypatch.setattr(door.store, "start_upload", away)
    monkeypatch.setattr(door.store, "stat", away)
    for answer in (door.http.post(f"{V1}/uploads", json=NEW), door.http.get(f"{V1}/health")):
        assert "object store" in refused(answer, 503)
        assert answer.headers["retry-after"]


def test_a_defect_is_a_problem_document_too(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door.store, "start_upload", lambda key: 1 / 0)
    assert "its log says why" in refused(door.http.post(f"{V1}/uploads", json=NEW), 500)


def test_an_address_that_does_not_exist_is_a_problem_document(door: Door) -> None:
    refused(door.http.get(f"{V1}/nothing"), 404)
    refused(door.http.post(f"{V1}/models"), 405)
