"""The web page as the API serves it."""

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI

from kiosk.api.page import read_page, router
from storage.memory import MemoryStore
from tests.kiosk.front import InProcess, app_of

STORE = "http://127.0.0.1:9000"
SCRIPT = "const cells = 1;\n" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Monolayer</title>")
    (tmp_path / "assets" / "index-abc.js").write_text(SCRIPT)
    return tmp_path


def served(folder: Path) -> InProcess:
    app: FastAPI = app_of(MemoryStore())
    app.include_router(router(read_page(folder), STORE))
    return InProcess(app)


def test_the_page_is_at_the_root_and_asked_for_anew_each_time(built: Path) -> None:
    answer = served(built).get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "<title>Monolayer</title>" in answer.text


def test_assets_are_kept_for_ever_and_come_compressed_to_whoever_can_read_that(built: Path) -> None:
    http = served(built)
    packed = http.request("GET", "/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    plain = http.request("GET", "/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip" and int(packed.headers["content-length"]) < 200
    assert packed.text == plain.text == SCRIPT and "content-encoding" not in plain.headers
    assert "immutable" in packed.headers["cache-control"]
    assert "javascript" in packed.headers["content-type"]


def test_the_page_may_load_nothing_from_elsewhere_and_send_only_to_the_store(built: Path) -> None:
    policy = served(built).get("/").headers["content-security-policy"].split("; ")
    assert "default-src 'self'" in policy
    assert f"connect-src 'self' {STORE}" in policy
    assert "frame-ancestors 'none'" in policy


def test_all_pages_have_one_policy_but_for_the_store(built: Path) -> None:
    http = served(built)
    [home, docs] = [http.get(path).headers["content-security-policy"] for path in ("/", "/docs/")]
    assert home.replace(f" {STORE}", "") == docs
    assert "script-src" not in docs, "scripts come from here alone, as everything does"


def test_without_a_built_page_there_is_a_sentence_that_says_how_to_build_it(tmp_path: Path) -> None:
    answer = served(tmp_path).get("/")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/plain")
    assert "`make web`" in answer.text


@pytest.mark.parametrize("path", ["nothing.js", "../index.html", "%2e%2e/index.html", "..%2f..%2fetc/passwd"])
def test_only_files_of_the_page_are_served(built: Path, path: str) -> None:
    answer = served(built).get(f"/assets/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_stays_where_it_was(built: Path) -> None:
    assert served(built).get("/api/v1/health").json()["status"] == "ok"


def test_what_is_compressed_is_the_file(built: Path) -> None:
    page = read_page(built)
    assert {path: gzip.decompress(file.packed) == file.data for path, file in page.items()} == {
        "index.html": True,
        "assets/index-abc.js": True,
    }
