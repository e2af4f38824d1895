"""A tenant's jobs don't exist for others, by whichever way they are asked for; and each has only so much room."""

import json
from typing import Any

import httpx
import pytest

from kiosk.access import tokens
from kiosk.access.caller import Scope
from kiosk.access.holdings import Quota, limit
from kiosk.api.guard import Access
from kiosk.api.tokens import Token
from storage import keys
from streams import intake
from streams.events import Options, UploadReceived
from streams.jobs import ledger, markers
from tests.kiosk.front import MODELS, Bucket, InProcess, Told, app_of, finish, labels_of, made_job

V1 = "/api/v1"
NEW = {"name": "plate.zip", "submission": "monday"}


class House:
    """Two tenants, each with a job of two images, of which one is rejected and the job is held; and a job of nobody."""

    def __init__(self, quota: Quota | None = None) -> None:
        self.store, self.told = Bucket(), Told()
        self.http = InProcess(app_of(self.store, self.told, access=Access(login=True, secret=b"s"), quota=quota))
        self.tokens = {tenant: self._token(tenant) for tenant in ("one", "two", "")}
        self.admin = tokens.create(self.store, "admin", {Scope.ADMIN})[0]
        for tenant in ("one", "two", ""):
            job = f"job-{tenant}"
            made_job(self.store, {"a.tif": b"a", "b.tif": b"b"}, job, tenant=tenant, size=1000)
            finish(self.store, job, lambda entry: labels_of(1, 40, 50) if entry.image else None)
            markers.hold(self.store, job, "The budget is spent.")

    def _token(self, tenant: str) -> str:
        return tokens.create(self.store, f"of {tenant}", {Scope.SUBMIT, Scope.READ}, tenant)[0]

    def ask(self, method: str, path: str, tenant: str | None = "one", **given: Any) -> httpx.Response:
        token = self.admin if tenant is None else self.tokens[tenant]
        return self.http.request(method, f"{V1}{path}", headers={"Authorization": f"Bearer {token}"}, **given)


@pytest.fixture
def house() -> House:
    return House()


def job_routes(house: House) -> list[tuple[str, str]]:
    paths = house.http.get(f"{V1}/openapi.json").json()["paths"]
    return [
        (method.upper(), path.removeprefix(V1).replace("{image}", "1"))
        for path, methods in paths.items()
        for method in methods
        if "{job}" in path
    ]


def test_another_tenants_job_does_not_exist_whatever_is_asked_of_it(house: House) -> None:
    routes = job_routes(house)
    assert {path.rsplit("/", 1)[-1] for _, path in routes} >= {
        "{job}", "rejected", "images", "progress", "results", "trace", "cancel", "replay", "release",
    }  # fmt: skip
    before = {stat.key: stat.etag for stat in house.store.list("")}
    for method, path in routes:
        unknown = house.ask(method, path.format(job="job-none"))
        for job in ("job-two", "job-"):
            answer = house.ask(method, path.format(job=job))
            assert answer.status_code == unknown.status_code == 404, (method, path)
            assert answer.json()["detail"] == unknown.json()["detail"].replace("job-none", job)
    assert {stat.key: stat.etag for stat in house.store.list("")} == before
    assert not house.told.events


def test_the_progress_of_a_job_that_is_not_there_is_a_404_for_everyone(house: House) -> None:
    for tenant in ("one", None):
        assert house.ask("GET", "/jobs/job-none/progress", tenant).status_code == 404


def test_each_sees_its_own_jobs_and_an_admin_sees_all(house: House) -> None:
    def jobs(tenant: str | None) -> list[str]:
        return sorted(job["job"] for job in house.ask("GET", "/jobs", tenant).json())

    assert (jobs("one"), jobs("")) == (["job-one"], ["job-"])
    assert jobs(None) == ["job-", "job-one", "job-two"]
    assert house.ask("GET", "/jobs/job-one/results").status_code == 200
    assert [image["image"] for image in house.ask("GET", "/jobs/job-one/rejected").json()] == [0]
    assert house.ask("POST", "/jobs/job-two/replay", None).status_code == 409  # its upload isn't there


def test_what_is_held_is_told_to_its_tenant_and_models_to_all(house: House) -> None:
    markers.hold(house.store, f"{keys.MODEL}{'e' * 64}", "Every image fails.")
    found = {(each["kind"], each["name"]) for each in house.ask("GET", "/held").json()}
    assert found == {("job", "job-one"), ("model", "e" * 64)}
    assert len(house.ask("GET", "/held", None).json()) == 4
    assert house.ask("POST", "/jobs/job-two/release").status_code == 404
    assert house.ask("POST", "/jobs/job-one/release").status_code == 204


def upload(house: House, tenant: str, body: bytes = b"bytes", **fields: Any) -> tuple[dict[str, Any], list[Any]]:
    started = house.ask("POST", "/uploads", tenant, json=NEW | fields).json()
    [address] = house.ask("POST", f"/uploads/{started['upload']}/parts?count=1", tenant).json()
    house.http.request("PUT", address["url"], content=body)
    return started, house.ask("GET", f"/uploads/{started['upload']}/parts", tenant).json()


def test_a_submission_becomes_its_tenants_job_and_says_so_in_record_and_event(house: House) -> None:
    started, parts = upload(house, "one")
    job = house.ask("POST", f"/uploads/{started['upload']}/complete", json={"parts": parts}).json()["job"]
    small = house.ask("POST", "/jobs?name=a.tif", content=b"x").json()["job"]
    for name in (job, small):
        assert json.loads(house.store.get(keys.job(name)))["tenant"] == "one"
        assert house.ask("GET", f"/jobs/{name}", "two").status_code == 404
    assert [event.tenant for event in house.told.events] == ["one", "one"]  # type: ignore[attr-defined]


def forge(key: str, tenant: str) -> Token:
    return Token(key=key, multipart="upload-1", name="x", model="nuclei", options=Options(), tenant=tenant)


def test_nobody_can_go_on_with_another_tenants_upload(house: House) -> None:
    started, parts = upload(house, "two")
    path = f"/uploads/{started['upload']}"
    for method, rest, given in (
        ("POST", "/parts", {}), ("GET", "/parts", {}), ("POST", "/complete", {"json": {"parts": parts}}),
        ("DELETE", "", {}),
    ):  # fmt: skip
        assert house.ask(method, path + rest, "one", **given).status_code == 404
    assert house.ask("POST", f"{path}/complete", "two", json={"parts": parts}).status_code == 200


def test_an_address_of_an_upload_that_was_not_made_here_leads_to_nobodys_bytes(house: House) -> None:
    started, parts = upload(house, "two")
    upload(house, "two", b"more", submission="tuesday")
    for secret in (b"", b"guess"):
        forged = forge(started["key"], "two")
        answer = house.ask("POST", f"/uploads/{forged.encode(secret)}/complete", "two", json={"parts": parts})
        assert answer.status_code == 404
    assert house.ask("GET", f"/uploads/{forged.encode(b's')}/parts", "two").status_code == 200  # the secret is all
    assert not house.told.events


def test_an_address_of_an_upload_is_of_whose_place_it_leads_to(house: House) -> None:
    started, parts = upload(house, "two")
    for key in (started["key"], keys.upload("0" * 32, "x"), "open/uploads/" + "0" * 32 + "/x"):
        forged = forge(key, "one").encode(b"s")
        answer = house.ask("POST", f"/uploads/{forged}/complete", "one", json={"parts": parts})
        assert answer.status_code == 404
    assert not house.told.events


def test_what_a_tenant_sends_and_gets_lies_under_its_name(house: House) -> None:
    started, parts = upload(house, "one")
    job = house.ask("POST", f"/uploads/{started['upload']}/complete", json={"parts": parts}).json()["job"]
    assert (started["key"].split("/")[:2], keys.job(job)) == (["one", "uploads"], f"one/jobs/{job}/job.json")
    assert job in [each["job"] for each in house.ask("GET", "/jobs").json()]
    assert job not in [each["job"] for each in house.ask("GET", "/jobs", "two").json()]
    assert job in [each["job"] for each in house.ask("GET", "/jobs", None).json()]
    house.store.delete([keys.job(job)])
    assert job not in [each["job"] for each in house.ask("GET", "/jobs").json()]


def test_what_came_in_by_a_tenants_inbox_is_in_its_list_and_counts(house: House) -> None:
    limit(house.store, "one", Quota(bytes=2000))
    house.store.put("one/inbox/nuclei/x.tif", bytes(999))
    job = intake.accept(house.store, UploadReceived(object="one/inbox/nuclei/x.tif"), MODELS).job
    assert house.ask("GET", f"/jobs/{job}", "one").status_code == 200
    assert house.ask("GET", f"/jobs/{job}", "two").status_code == 404
    assert house.ask("POST", "/jobs?name=a.tif", content=bytes(2)).status_code == 403


def test_the_same_mark_of_two_tenants_is_two_jobs(house: House) -> None:
    made = []
    for tenant in ("one", "two", ""):
        started, parts = upload(house, tenant)
        answer = house.ask("POST", f"/uploads/{started['upload']}/complete", tenant, json={"parts": parts}).json()
        made.append((answer["job"], answer["again"]))
    assert len(set(made)) == 3 and not any(again for _, again in made)
    assert house.ask("POST", "/uploads", "one", json=NEW).json()["job"] == made[0][0]


def test_who_has_enough_images_in_flight_waits(house: House) -> None:
    limit(house.store, "one", Quota(images=1))
    made_job(house.store, {"a.tif": b"a"}, "busy", tenant="one")
    for answer in (house.ask("POST", "/uploads", json=NEW), house.ask("POST", "/jobs?name=a.tif", content=b"x")):
        assert answer.status_code == 403
        assert answer.json()["detail"] == (
            "1 images of one are in flight, and 1 may be at once; submit more when some of them have ended."
        )
    assert house.ask("POST", "/uploads", "two", json=NEW).status_code == 201
    assert not house.told.events


def test_who_stores_as_much_as_they_may_is_told_before_and_after_the_bytes_are_sent() -> None:
    house = House(Quota(bytes=2000))
    assert "GB more" in house.ask("POST", "/uploads", json=NEW | {"size": 1001}).json()["detail"]
    assert house.ask("POST", "/uploads", json=NEW | {"size": 999}).status_code == 201
    assert house.ask("POST", "/jobs?name=a.tif", content=bytes(1001)).status_code == 403
    started, parts = upload(house, "one", bytes(1500), submission="")  # it said nothing of its size
    answer = house.ask("POST", f"/uploads/{started['upload']}/complete", json={"parts": parts})
    assert answer.status_code == 403
    assert not ledger.exists(house.store, started["key"])
    assert house.ask("POST", "/jobs?name=a.tif", "", content=bytes(3000)).status_code == 201  # of no tenant


@pytest.mark.parametrize("forgetful", [True, False], ids=["a store that says not found", "one that says the same"])
def test_completing_twice_takes_no_images_from_the_job_that_fills_the_quota(
    forgetful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(Quota(images=1, bytes=1600))
    house.store.delete([keys.job("job-one")])
    upload = house.ask("POST", "/uploads", json={"name": "plate.zip"}).json()["upload"]
    part = house.ask("PUT", f"/uploads/{upload}/parts/1", content=b"x" * 1000).json()
    parts = {"parts": [part]}
    first = house.ask("POST", f"/uploads/{upload}/complete", json=parts)
    assert first.status_code == 200
    if not forgetful:
        monkeypatch.setattr(Bucket, "finish_upload", lambda *_: "etag")
    again = InProcess(app_of(house.store, access=Access(login=True, secret=b"s"), quota=Quota(images=1, bytes=1600)))
    second = again.post(
        f"{V1}/uploads/{upload}/complete", json=parts, headers={"Authorization": f"Bearer {house.tokens['one']}"}
    )
    assert house.store.stat(ledger.read_job(house.store, first.json()["job"]).object).size == 1000
    assert second.json()["job"] == first.json()["job"]
