"""The same submission is the same job, and says so; a deadline travels from the request into the job."""

import json
from typing import Any

import pytest

from storage import keys
from streams.jobs import ledger
from tests.kiosk.front import Bucket, InProcess, Told, app_of

V1 = "/api/v1"
NEW = {"name": "plate.zip", "model": "nuclei", "submission": "week 1"}
KEY = {"Idempotency-Key": "week 1"}


class Door:
    def __init__(self) -> None:
        self.store, self.told = Bucket(), Told()
        self.http = InProcess(app_of(self.store, self.told))

    def small(self, body: bytes = b"pixels", headers: dict[str, str] | None = None, **query: Any) -> Any:
        given = {"name": "a.tif"} | query
        return self.http.post(f"{V1}/jobs", params=given, content=body, headers=headers or {})

    def start(self, **fields: Any) -> Any:
        return self.http.post(f"{V1}/uploads", json=NEW | fields)

    def complete(self, upload: str, body: bytes = b"zip") -> Any:
        [address] = self.http.post(f"{V1}/uploads/{upload}/parts?first=1&count=1").json()
        self.http.request("PUT", address["url"], content=body)
        parts = self.http.get(f"{V1}/uploads/{upload}/parts").json()
        return self.http.post(f"{V1}/uploads/{upload}/complete", json={"parts": parts})

    @property
    def stored(self) -> int:
        return len(list(self.store.list(keys.UPLOADS)))


@pytest.fixture
def door() -> Door:
    return Door()


def test_the_same_key_twice_is_the_same_job_and_says_so(door: Door) -> None:  # rule 8
    first, second = door.small(headers=KEY), door.small(headers=KEY)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {"job": first.json()["job"], "again": True, "signed_with": ""}
    assert door.stored == 1


def test_the_header_and_the_field_are_the_same_mark(door: Door) -> None:
    assert door.small(headers=KEY).json()["job"] == door.small(submission="week 1").json()["job"]
    answer = door.small(headers=KEY, submission="week 2")
    assert answer.status_code == 422
    assert "give one of them" in answer.json()["detail"]


def test_a_key_that_marks_another_file_is_refused_and_the_first_job_stays_what_it_was(door: Door) -> None:
    job = door.small(headers=KEY).json()["job"]
    answer = door.small(b"others", headers=KEY)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "'week 1' already marks another a.tif; choose another mark."
    assert door.store.get(ledger.read_job(door.store, job).object) == b"pixels"


def test_without_a_key_the_same_file_is_another_job_each_time(door: Door) -> None:
    assert door.small().json()["job"] != door.small().json()["job"]


@pytest.mark.parametrize("change", [{"name": "b.tif"}, {"diameter": 30}, {"submission": "week 2"}])
def test_another_name_option_or_key_is_another_job(door: Door, change: dict[str, Any]) -> None:
    query = {"submission": "week 1"}
    assert door.small(**query).json()["job"] != door.small(**query | change).json()["job"]


def test_an_upload_that_is_a_job_already_need_not_be_sent(door: Door) -> None:
    job = door.complete(door.start().json()["upload"]).json()["job"]
    again = door.start(size=3)
    assert again.status_code == 200
    assert (again.json()["job"], again.json()["upload"]) == (job, "")
    assert door.start(size=4).status_code == 409


def test_two_who_send_the_same_at_once_get_one_job(door: Door) -> None:
    one, other = door.start().json()["upload"], door.start().json()["upload"]
    first, second = door.complete(one), door.complete(other)
    assert second.json() == {"job": first.json()["job"], "again": True, "signed_with": ""}
    assert not door.store._uploads


def test_a_job_that_was_stored_but_never_announced_is_announced_by_the_next_try(door: Door) -> None:
    door.told.away = True
    assert door.small(headers=KEY).status_code == 503
    door.told.away = False
    job = door.small(headers=KEY).json()["job"]
    assert [event.job for event in door.told.events] == [job]


def test_a_mark_whose_job_was_deleted_is_gone_and_says_so(door: Door) -> None:  # rule 7
    job = door.small(headers=KEY).json()["job"]
    door.store.delete([keys.job(job)])
    door.store.put(keys.deleted(job), b"{}")
    answer = door.small(headers=KEY)
    assert answer.status_code == 410
    assert "submit it under another mark" in answer.json()["detail"]


@pytest.mark.parametrize("small", [True, False])
def test_a_deadline_is_written_into_the_job(door: Door, small: bool) -> None:  # rule 7
    if small:
        job = door.small(deadline=7200).json()["job"]
    else:
        job = door.complete(door.start(deadline=7200).json()["upload"]).json()["job"]
    assert json.loads(door.store.get(keys.job(job)))["deadline"] == 7200
    assert door.http.get(f"{V1}/jobs/{job}").json()["deadline"] == 7200


@pytest.mark.parametrize("deadline", [5, 8 * 86400, "soon"])
def test_a_deadline_that_no_job_can_have_is_refused(door: Door, deadline: Any) -> None:
    assert "deadline" in door.small(deadline=deadline).json()["detail"].casefold()
    assert door.start(deadline=deadline).status_code == 422
    assert door.stored == 0
