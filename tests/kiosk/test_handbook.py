"""The documentation, served where it is built."""

from pathlib import Path

from fastapi import FastAPI

from kiosk.api.handbook import Handbook
from storage.memory import MemoryStore
from tests.kiosk.front import InProcess, app_of


def served(site: Path) -> InProcess:
    app = FastAPI()
    app.mount("/docs", Handbook(site))
    return InProcess(app)


def test_the_pages_are_at_docs(tmp_path: Path) -> None:
    (tmp_path / "tutorial").mkdir()
    (tmp_path / "index.html").write_text("<h1>Monolayer</h1>")
    (tmp_path / "tutorial" / "index.html").write_text("<h1>First cells</h1>")
    assert "Monolayer" in served(tmp_path).get("/docs/").text
    answer = served(tmp_path).get("/docs/tutorial/")
    assert "First cells" in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


def test_where_it_is_not_built_a_sentence_says_how_and_nothing_needs_a_new_start(tmp_path: Path) -> None:
    http = served(tmp_path / "site")
    assert http.get("/docs/").status_code == 404
    assert "make docs" in http.get("/docs/").text
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("there")
    assert http.get("/docs/").text == "there"


def test_nothing_but_the_site_is_served(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("there")
    (tmp_path / "secret").write_text("keys")
    (tmp_path / "site" / "link").symlink_to(tmp_path / "secret")
    for path in ("/docs/../secret", "/docs/%2e%2e/secret", "/docs/..%2fsecret", "/docs/link", "/docs//etc/passwd"):
        assert served(tmp_path / "site").get(path).status_code == 404


def test_the_api_has_it() -> None:
    told = InProcess(app_of(MemoryStore())).get("/docs/").text
    assert "make docs" in told or "<title>Start - Monolayer</title>" in told
