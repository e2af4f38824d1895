"""The whole site, where `make docs` has installed what builds it."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

from docs import building

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None, reason="the site is built where `make docs` was run before"
)
OURS = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["']?(https?:)?//""")
_EXECUTED = re.compile(r"<script(?![^>]*\b(?:src|type=\"application/json\"))[^>]*>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return building.build(tmp_path_factory.mktemp("docs"))


def test_every_page_is_there_and_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) == len([place for place, _ in building.pages() if place.endswith(".md")]) + 1  # 404.html
    assert [page for page in pages if OURS.search(page.read_text())] == []


def test_no_script_stands_in_a_page_and_each_that_it_names_is_there(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert not _EXECUTED.search(text)
        if page.name == "index.html":
            named = re.findall(r'<script src="([^"]+)"', text)
            assert len(named) > 2
            assert [name for name in named if not (page.parent / name).is_file()] == []


def test_the_descriptions_for_programs_lie_beside_the_pages(site: Path) -> None:
    assert (site / "reference" / "openapi.json").is_file()
    assert (site / "reference" / "asyncapi.json").is_file()


def test_a_link_that_leads_nowhere_keeps_the_site_from_being_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pages = tmp_path / "pages"
    shutil.copytree(building.PAGES, pages)
    (pages / "index.md").write_text("# Start\n\n[away](tutorial.md#no-such-chapter)\n")
    monkeypatch.setattr(building, "PAGES", pages)
    with pytest.raises(building.NotBuilt):
        building.build(tmp_path / "built")
    assert "anchor does not exist" in capfd.readouterr().err
