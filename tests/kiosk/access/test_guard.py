"""Who comes in, and who doesn't, at an API that asks for tokens and at one that doesn't."""

import re
from typing import Any

import httpx
import pytest

from kiosk.access import tokens
from kiosk.access.caller import Scope
from kiosk.access.proxy import Proxy
from kiosk.access.rates import Rates
from kiosk.api.admission import BadSettings, admission
from kiosk.api.guard import Access
from kiosk.api.settings import Settings
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams.jobs.remembered import BELIEVED_SECONDS
from tests.kiosk.front import InProcess, Told, app_of, made_job

V1 = "/api/v1"


class Door:
    """An API that asks for tokens."""

    def __init__(self, **given: Any) -> None:
        self.store, self.told = MemoryStore(), Told()
        self.http = InProcess(app_of(self.store, self.told, access=Access(login=True, **given)))
        made_job(self.store, {"a.tif": b"a"})

    def token(self, *scopes: Scope, **given: Any) -> str:
        return tokens.create(self.store, "ada", scopes or {Scope.SUBMIT, Scope.READ}, **given)[0]

    def ask(self, path: str, token: str | None = None, method: str = "GET", **given: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.http.request(method, f"{V1}{path}", headers=headers | given.pop("headers", {}), **given)


def refused(answer: httpx.Response, status: int) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["detail"].endswith(".")
    return str(answer.json()["detail"])


def test_without_a_token_nothing_is_told() -> None:
    door = Door()
    paths = door.http.get(f"{V1}/openapi.json").json()["paths"]
    asked = [(method, path) for path, methods in paths.items() for method in methods if path != f"{V1}/health"]
    assert len(asked) > 15
    for method, path in asked:
        answer = door.http.request(method.upper(), re.sub(r"{\w+}", "1", path))
        assert "--token" in refused(answer, 401), path
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_health_and_the_description_are_open() -> None:
    door = Door()
    assert [door.ask(path).status_code for path in ("/health", "/docs", "/openapi.json")] == [200, 200, 200]


@pytest.mark.parametrize("forged", ["", "x", "monolayer_x", f"monolayer_{'0' * 16}_{'0' * 64}"])
def test_a_forged_token_is_refused_in_one_sentence(forged: str) -> None:
    door = Door()
    door.token()
    refused(door.ask("/jobs", forged), 401)


def test_a_token_opens_what_its_scopes_say_and_nothing_else() -> None:
    door = Door()
    reads, submits, admin = (door.token(scope) for scope in (Scope.READ, Scope.SUBMIT, Scope.ADMIN))
    assert door.ask("/jobs/j1", reads).status_code == 200
    assert "may read here, and this needs a token that may submit" in refused(
        door.ask("/jobs/j1/cancel", reads, "POST"), 403
    )
    assert "may submit here" in refused(door.ask("/jobs/j1", submits), 403)
    assert door.ask("/jobs/j1/cancel", submits, "POST").status_code == 200
    assert "may admin" in refused(door.ask("/models/nuclei/release", submits, "POST"), 403)
    assert door.ask("/models/nuclei/release", admin, "POST").status_code == 404  # it isn't held
    assert door.ask("/jobs/j1", admin).status_code == 200


def test_an_expired_and_a_revoked_token_are_refused() -> None:
    door = Door()
    old = door.token(days=0.0)
    text, made = tokens.create(door.store, "bob", {Scope.READ})
    tokens.revoke(door.store, made.id)
    assert all("revoked" in refused(door.ask("/jobs", token), 401) for token in (old, text))
    assert BELIEVED_SECONDS <= 10


def test_a_store_that_is_away_is_an_outage_and_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    token = door.token()

    def away(prefix: str) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(door.store, "list", away)
    assert "object store" in refused(door.ask("/jobs", token), 503)


def test_a_cookie_reads_and_never_changes_anything() -> None:
    door = Door()
    cookie = {"Cookie": f"theme=dark; monolayer-token={door.token()}"}
    assert door.ask("/jobs/j1", headers=cookie).status_code == 200
    refused(door.ask("/jobs/j1/cancel", method="POST", headers=cookie), 401)


def test_headers_of_a_proxy_count_only_where_a_setting_names_them_and_with_its_secret() -> None:
    claims = {"X-Forwarded-Email": "ada@lab", "X-Monolayer-Proxy-Secret": "s3cret"}
    refused(Door().ask("/jobs", headers=claims), 401)
    door = Door(proxy=Proxy("x-forwarded-email", "s3cret", admins=frozenset({"root@lab"})))
    assert door.ask("/jobs/j1", headers=claims).status_code == 200
    refused(door.ask("/jobs", headers={"X-Forwarded-Email": "ada@lab"}), 401)
    assert "secret" in refused(door.ask("/jobs", headers=claims | {"X-Monolayer-Proxy-Secret": "guess"}), 401)
    assert "no user" in refused(door.ask("/jobs", headers={"X-Monolayer-Proxy-Secret": "s3cret"}), 401)
    refused(door.ask("/models/nuclei/release", method="POST", headers=claims), 403)
    admin = claims | {"X-Forwarded-Email": "root@lab"}
    assert door.ask("/models/nuclei/release", method="POST", headers=admin).status_code == 404


def test_a_proxy_may_say_the_tenant_and_must_where_it_is_set_to() -> None:
    door = Door(proxy=Proxy("x-user", "s", tenant="x-lab"))
    claims = {"X-User": "ada", "X-Monolayer-Proxy-Secret": "s"}
    assert "x-lab" in refused(door.ask("/jobs", headers=claims), 401)
    assert door.ask("/jobs", headers=claims | {"X-Lab": "lab-1"}).json() == []


def test_whoever_asks_too_often_is_told_when_to_come_back() -> None:
    door = Door(rates=Rates(0.5, 3, clock=lambda: 0.0))
    ada, bob = door.token(), door.token()
    assert [door.ask("/models", ada).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = door.ask("/models", ada)
    assert "asks too often" in refused(answer, 429)
    assert answer.headers["retry-after"] == "2"
    assert door.ask("/models", bob).status_code == 200


def test_strangers_are_counted_too() -> None:
    door = Door(rates=Rates(1, 2, clock=lambda: 0.0))
    assert [door.ask("/jobs", "x").status_code for _ in range(3)] == [401, 401, 429]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.2:8080", "", "[", "10.0.0.1"])
def test_without_login_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    http = InProcess(app_of(MemoryStore()))
    assert "its own machine" in refused(http.request("GET", f"{V1}/jobs", headers={"Host": host}), 403)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "127.8.8.8"])
def test_without_login_this_machine_needs_no_token(host: str) -> None:
    http = InProcess(app_of(MemoryStore()))
    assert http.request("GET", f"{V1}/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_without_login_a_page_from_elsewhere_can_submit_nothing(origin: str) -> None:
    told = Told()
    http = InProcess(app_of(MemoryStore(), told))
    answer = http.request("POST", f"{V1}/jobs?name=a.tif", headers={"Origin": origin}, content=b"pixels")
    assert "may not change anything" in refused(answer, 403)
    assert not told.events
    ours = {"Origin": "http://127.0.0.1:8080"}
    assert http.request("POST", f"{V1}/jobs?name=a.tif", headers=ours, content=b"pixels").status_code == 201


KEY = {"s3_secret_key": "k"}


@pytest.mark.parametrize(
    ("api", "asks"),
    [("http://127.0.0.1:8080", False), ("http://localhost:1", False), ("http://[::1]:8080", False),
     ("http://0.0.0.0:8080", True), ("http://192.168.1.2:8080", True), ("http://lab.example:8080", True)],
)  # fmt: skip
def test_a_token_is_asked_for_wherever_others_could_ask(api: str, asks: bool) -> None:
    assert admission(Settings.model_validate({"api": api, **KEY})).login is asks
    assert admission(Settings.model_validate({"api": api, "login": True, **KEY})).login


def test_settings_that_would_leave_a_door_open_are_refused() -> None:
    with pytest.raises(BadSettings, match="to everyone"):
        admission(Settings.model_validate({"api": "http://0.0.0.0:8080", "login": False, **KEY}))
    with pytest.raises(BadSettings, match="MONOLAYER_S3_SECRET_KEY is empty"):
        admission(Settings.model_validate({"api": "http://0.0.0.0:8080"}))
    for half in ({"proxy_user_header": "X-User"}, {"proxy_secret": "s"}):
        with pytest.raises(BadSettings, match="together"):
            admission(Settings.model_validate({"api": "http://0.0.0.0:8080", **KEY, **half}))
