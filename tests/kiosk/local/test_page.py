"""The web page's sources: what they may bring, and that they become a small page."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from kiosk.client.packing import LITTER, NO_IMAGES
from kiosk.local import page
from kiosk.local.cache import LocalError, cache_folder
from storage.memory import MemoryStore
from tests.kiosk.front import app_of
from tests.web_tools import quiet, web_tools

FIRST_VIEW = 300_000
"""Bytes over the wire before anything is seen, at most."""
PACKAGES = json.loads((page.SOURCES / "package.json").read_text())
LOCKED = json.loads((page.SOURCES / "package-lock.json").read_text())["packages"]


@pytest.fixture(scope="module")
def built() -> Path:
    return page.install(cache_folder(), quiet)


@pytest.fixture(scope="module")
def checked() -> Path:
    """A copy of the sources with all that checks them, and the API's types."""
    folder = web_tools()
    shutil.rmtree(folder / "src", ignore_errors=True)
    page.copy_sources(folder)
    (folder / "openapi.json").write_text(json.dumps(app_of(MemoryStore()).openapi()))
    return folder


def script(folder: Path, name: str) -> None:
    wheel = page.node(cache_folder(), quiet)
    page.run([*page.npm(wheel), "run", "--silent", name], folder)


@pytest.mark.integration
def test_the_first_view_is_small(built: Path) -> None:
    index = (built / "index.html").read_text()
    wanted = ["index.html", *re.findall(r'(?:src|href)="/(assets/[^"]+)"', index)]
    assert len(wanted) == 3
    sizes = {name: len(gzip.compress((built / name).read_bytes())) for name in wanted}
    assert sum(sizes.values()) < FIRST_VIEW, sizes


@pytest.mark.integration
def test_what_only_the_viewer_needs_comes_with_the_viewer(built: Path) -> None:
    scripts = sorted((built / "assets").glob("*.js"))
    assert len(scripts) >= 3
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", (built / "index.html").read_text())


@pytest.mark.integration
def test_types_fit_the_api_and_the_tests_of_the_sources_pass(checked: Path) -> None:
    for name in ("types", "check", "test"):
        script(checked, name)


def test_the_lock_names_no_address_and_pins_every_package_by_its_hash() -> None:
    assert "://" not in re.sub(r'"(url|engines)": .*', "", (page.SOURCES / "package-lock.json").read_text())
    packages = {name: each for name, each in LOCKED.items() if name}
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [name for name, each in packages.items() if not each.get("integrity", "").startswith("sha512-")] == []


def test_every_package_has_its_reason_in_the_readme() -> None:
    readme = (page.SOURCES / "README.md").read_text()
    named = set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (.*) \| ", readme, re.MULTILINE))))
    assert named == {*PACKAGES["dependencies"], *PACKAGES["devDependencies"]}


def test_the_page_leaves_out_what_the_command_line_leaves_out() -> None:
    left_out = json.loads((page.SOURCES / "src/upload/left-out.json").read_text())
    assert set(left_out["endings"]) == NO_IMAGES
    assert set(left_out["litter"]) == LITTER


def test_nothing_built_is_a_source() -> None:
    names = {str(path.relative_to(page.SOURCES)) for path in page.sources()}
    assert "src/main.tsx" in names and "src/api/schema.d.ts" not in names
    assert not [name for name in names if name.startswith(("node_modules", "dist"))]


def test_other_sources_have_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "web"
    shutil.copytree(page.SOURCES / "src", sources / "src")
    monkeypatch.setattr(page, "SOURCES", sources)
    before = page.installed(tmp_path)
    (sources / "src" / "main.tsx").write_text("// other")
    assert page.installed(tmp_path) != before


def test_a_page_that_can_not_be_built_is_a_sentence_and_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(cache: Path, tell: object) -> Path:
        raise LocalError("The web page could not be built: no network.")

    monkeypatch.setattr(page, "node", fail)
    monkeypatch.setenv("MONOLAYER_CACHE", str(tmp_path))
    assert page.offer(tmp_path, quiet).endswith("Everything else works without it.")
    assert page.main(quiet) == 1
