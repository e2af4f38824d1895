"""Makes the site: pages by hand and from the code, laid together, and Zensical over them."""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.fences import shown
from docs.reference.pages import generated

HERE = Path(__file__).parent
PAGES = HERE / "pages"
CONFIGURATION = "zensical.toml"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class NotBuilt(Exception):
    """The site could not be made; what is wrong was printed."""


def build(folder: Path) -> Path:
    """Make the site below a folder; returns where it is. Raises `NotBuilt`, also over a link that leads nowhere."""
    shutil.rmtree(folder, ignore_errors=True)
    for place, text in pages():
        _write(folder / "pages" / place, text)
    shutil.copy(HERE / CONFIGURATION, folder)
    argv = [sys.executable, "-m", "zensical", "build", "--strict"]
    if subprocess.run(argv, cwd=folder, check=False).returncode:
        raise NotBuilt
    site = folder / "site"
    for page in site.rglob("*.html"):
        page.write_text(_without_inline_scripts(page.read_text(), site, "../" * len(page.relative_to(site).parts[:-1])))
    return site


def pages() -> Iterator[tuple[str, str]]:
    """All pages by their place, those written by hand first."""
    for path in sorted(PAGES.rglob("*.md")):
        yield str(path.relative_to(PAGES)), shown(path.read_text())
    yield from generated().items()


def _without_inline_scripts(page: str, site: Path, up: str) -> str:
    """The page with its inline scripts in files beside the theme's: what it is served with allows no others."""

    def moved(found: re.Match[str]) -> str:
        place = f"assets/javascripts/{hashlib.sha256(found[1].encode()).hexdigest()[:16]}.js"
        _write(site / place, found[1])
        return f'<script src="{up}{place}"></script>'

    return _INLINE.sub(moved, page)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
