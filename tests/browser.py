"""A real browser for tests: this machine's Chromium, driven by Playwright; where either lacks, a test is skipped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WIDE, PHONE = {"width": 1200, "height": 850}, {"width": 360, "height": 740}
PATIENCE = 60_000
"""Milliseconds that anything on a page may take on a busy machine."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; its pages share nothing with the user's."""
    there = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if there is None:
        pytest.skip("The page is tested in a browser: install chromium (Debian, Ubuntu)")
    playwright = pytest.importorskip("playwright.sync_api", reason="The page is tested with the package playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=there, args=["--no-sandbox"], timeout=2 * PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Any, address: str, **how: Any) -> Iterator[Any]:
    """A page at an address; whatever it complains about fails the test."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": WIDE, "accept_downloads": True} | how)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


def drop(page: Any, path: Path) -> None:
    """Drag a file or folder of this machine over the page, and let go."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 200, "data": data})
    session.detach()


def sideways(page: Any) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
