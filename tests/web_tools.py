"""What checks the page's sources: the packages of its lock, the ones for development too, fetched once."""

import shutil
from pathlib import Path

from kiosk.local import page
from kiosk.local.cache import cache_folder, digest, once


def quiet(words: str) -> None:
    pass


def web_tools() -> Path:
    """The folder that holds `node_modules`; what else lies in it is the caller's."""
    wheel = page.node(cache_folder(), quiet)

    def fetch(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(page.SOURCES / name, folder / name)
        page.run([*page.npm(wheel), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    lock = (page.SOURCES / "package-lock.json").read_bytes()
    return once(cache_folder() / f"page-check-{digest([lock])}", fetch)
