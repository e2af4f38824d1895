"""The page before everything: a real browser, the real servers, from a dropped folder to the zip of its results."""

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tifffile

from inference.synthetic import field
from tests.browser import chromium, drop, visiting
from tests.e2e.system import System

pytestmark = pytest.mark.e2e
ENOUGH = 5.0
"""Seconds from a drop to the overlay of an image of one megapixel, where everything is warm."""


@pytest.fixture(scope="module")
def address(system: System) -> str:
    found: str = system.status()["addresses"]["api"]
    if httpx.get(found).status_code == httpx.codes.SERVICE_UNAVAILABLE:
        pytest.fail(f"The page is not built: {httpx.get(found).text}")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def test_a_folder_that_is_dropped_comes_back_as_pictures_and_a_zip(browser: Any, address: str, tmp_path: Path) -> None:
    folder = fields(tmp_path / "plate", 4, 256)
    (folder / "broken.tif").write_bytes(b"this is no image")
    with visiting(browser, address) as page:
        drop(page, folder)
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="plate.zip").wait_for()
        page.get_by_text("done, some rejected").wait_for()
        page.get_by_role("row", name="broken.tif").get_by_text("bad input").wait_for()
        page.get_by_role("link", name="Outlines of cells in field 2.tif").click()
        page.locator("canvas").press("n")
        area = page.get_by_role("row", name="Area, pixels").inner_text().split()[-1]
        page.get_by_role("link", name="Back to the job").click()
        with page.expect_download() as fetching:
            page.get_by_role("link", name="Download results").click()
        fetching.value.save_as(tmp_path / "results.zip")
    with zipfile.ZipFile(tmp_path / "results.zip") as results:
        cells = list(csv.DictReader(io.StringIO(results.read("cells.csv").decode())))
    first = next(cell for cell in cells if cell["image"] == "field 2.tif")
    assert first["area_px"] == area
    assert {cell["image"] for cell in cells} == {f"field {number}.tif" for number in range(4)}


def test_what_is_dropped_is_seen_within_seconds(browser: Any, address: str, tmp_path: Path) -> None:
    folder = fields(tmp_path / "images", 6, 1024)
    took = [seen(browser, address, image) for image in sorted(folder.iterdir())]
    print("from drop to overlay, in seconds:", [round(each, 2) for each in took])
    assert min(took) < ENOUGH  # the others tell how busy the machine is with other tests


def seen(browser: Any, address: str, image: Path) -> float:
    """Seconds from a drop until the overlay is there."""
    with visiting(browser, address) as page:
        page.get_by_role("button", name="Choose files").wait_for()
        begun = time.monotonic()
        drop(page, image)
        page.get_by_role("button", name="Start").click()
        page.locator(".gallery img").wait_for()
        page.locator(".gallery img").evaluate("image => image.decode()")
        return time.monotonic() - begun


def fields(folder: Path, count: int, side: int) -> Path:
    folder.mkdir()
    for number in range(count):
        image, _ = field((side, side), seed=number, n_cells=20)
        tifffile.imwrite(folder / f"field {number}.tif", image)
    return folder
