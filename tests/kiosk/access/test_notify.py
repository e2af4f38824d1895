"""An address that is to be told of a job's end, as it is submitted."""

import json

import pytest

from kiosk.api.guard import Access
from storage import keys
from storage.memory import MemoryStore
from streams.notices import signed
from tests.kiosk.front import InProcess, app_of

V1 = "/api/v1"
URL = "https://lab.example/hook?key=1"
SECRET = signed.written(signed.secret_for(b"s", "", URL))


def test_who_wants_to_be_told_learns_what_messages_are_signed_with_and_a_message_is_owed() -> None:
    store = MemoryStore()
    http = InProcess(app_of(store, access=Access(secret=b"s")))
    answer = http.request("POST", f"{V1}/jobs", params={"name": "a.tif", "notify": URL}, content=b"x").json()
    assert answer["signed_with"] == SECRET
    assert json.loads(store.get(keys.job(answer["job"])))["notify"] == URL
    assert json.loads(store.get(keys.notice(answer["job"], 0)))["tries"] == 0
    assert URL not in http.get(f"{V1}/jobs/{answer['job']}").text


def test_who_does_not_owes_nothing() -> None:
    store = MemoryStore()
    answer = InProcess(app_of(store)).post(f"{V1}/jobs?name=a.tif", content=b"x").json()
    assert answer["signed_with"] == ""
    assert list(store.list(keys.NOTICES)) == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "http://lab.example", "https://169.254.169.254/latest", "file:///x"]
)
def test_an_address_in_this_network_is_refused_before_a_byte_is_sent(url: str) -> None:
    http = InProcess(app_of(MemoryStore()))
    answer = http.post(f"{V1}/uploads", json={"name": "a.tif", "notify": url})
    assert answer.status_code == 422
    assert answer.json()["detail"].lower().startswith("notify: ")


def test_an_address_in_this_network_is_taken_where_a_setting_says_so() -> None:
    http = InProcess(app_of(MemoryStore(), access=Access(private=True)))
    assert http.post(f"{V1}/uploads", json={"name": "a.tif", "notify": "http://127.0.0.1:9/x"}).status_code == 201
