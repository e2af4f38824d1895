"""The page in a real browser, before the real API whose stages are done at once."""

import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from kiosk.access.caller import Scope as Right
from kiosk.access.tokens import create
from kiosk.api import page as served
from kiosk.api import uploads
from kiosk.api.app import create_app
from kiosk.api.guard import Access
from kiosk.local import page as built
from kiosk.local.cache import cache_folder
from storage.labels import write_labels
from tests.browser import PHONE, chromium, drop, sideways, visiting
from tests.kiosk.front import BAD, MODELS, Bucket, app_of, finish, labels_of, made_job, serving, stages, tiff
from tests.web_tools import quiet, web_tools

pytestmark = pytest.mark.integration
TO_THE_STORE = re.compile("/memory:")
NOWHERE = "http://127.0.0.1:9"
PAGES = ("", "jobs", "models", "jobs/{job}", "jobs/{job}/images/0", "jobs/{job}/trace")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def door(browser: Any) -> Iterator[tuple[str, Bucket]]:
    """Address and bucket of an API that serves the page."""
    store = Bucket()
    app = app_of(store, stages(store))
    app.include_router(served.router(served.read_page(built.install(cache_folder(), quiet))))
    with serving(app) as address:
        store.address = address
        yield address, store


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    """A folder with a good image, a broken one, and notes."""
    folder = tmp_path / "plate 1" / "well A"
    folder.mkdir(parents=True)
    (folder / "good.tif").write_bytes(tiff(pixel_size=0.65))
    (folder / "broken.tif").write_bytes(BAD)
    (folder / "notes.txt").write_text("pixel size 0.65")
    return tmp_path / "plate 1"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder that is sent in five parts of a megabyte."""
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.tif").write_bytes(os.urandom(1_200_000))
    return folder


def submitted(page: Any, folder: Path) -> str:
    """Drop a folder and start; returns the job once its page is there."""
    drop(page, folder)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/#/jobs/*")
    return str(page.url.rsplit("/", 1)[1])


def test_a_dropped_folder_becomes_a_job_whose_cells_can_be_looked_at_and_fetched(
    browser: Any, door: tuple[str, Bucket], plate: Path, tmp_path: Path
) -> None:
    with visiting(browser, door[0]) as page:
        drop(page, plate)
        page.get_by_text("2 files").wait_for()
        assert "plate 1/well A/notes.txt" in page.get_by_text("Left out").inner_text()
        page.get_by_text("says 0.65 µm per pixel").wait_for()
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="plate 1.zip").wait_for()
        page.get_by_text("done, some rejected").wait_for()
        page.get_by_role("link", name="Outlines of cells in well A/good.tif").click()
        page.get_by_text("2 cells").wait_for()
        page.locator("canvas").press("n")
        assert page.get_by_role("row", name="Area, pixels").inner_text().split() == ["Area,", "pixels", "100"]
        page.get_by_role("link", name="Back to the job").click()
        with page.expect_download() as fetching:
            page.get_by_role("link", name="Download results").click()
        fetching.value.save_as(tmp_path / "results.zip")
    with zipfile.ZipFile(tmp_path / "results.zip") as results:
        assert {"labels/well A/good.tif", "overlays/well A/good.png", "cells.csv"} <= set(results.namelist())


def test_a_click_on_a_cell_tells_what_was_measured(browser: Any, door: tuple[str, Bucket], plate: Path) -> None:
    with visiting(browser, door[0]) as page:
        job = submitted(page, plate)
        page.goto(f"{door[0]}/#/jobs/{job}/images/1")
        canvas = page.locator("canvas")
        canvas.wait_for()
        box = canvas.bounding_box()
        scale = min(box["width"] / 50, box["height"] / 40)
        column, row = 25, 25  # within the second cell
        x, y = box["width"] / 2 + (column - 25) * scale, box["height"] / 2 + (row - 20) * scale
        canvas.click(position={"x": x, "y": y})
        page.get_by_text("Cell 2 of 2").wait_for()
        assert "150" in page.get_by_role("row", name="Area, pixels").inner_text()


def test_what_is_doubtful_is_a_link_and_its_page_says_why(browser: Any, door: tuple[str, Bucket]) -> None:
    made_job(door[1], {"good.tif": tiff(), "empty.tif": tiff()}, "doubtful")
    empty = write_labels(np.zeros((1, 40, 50), np.int32), {"label": np.zeros(0, np.int32)}, None, {})
    finish(door[1], "doubtful", lambda entry: empty if entry.image else labels_of(1, 40, 50))
    with visiting(browser, f"{door[0]}/#/jobs/doubtful") as page:
        page.get_by_role("list", name="Look at these first").get_by_role("link", name="empty.tif").click()
        page.get_by_text("Look before you trust the labels: no cells found").wait_for()
        page.get_by_role("link", name="Image before").click()
        page.get_by_text("2 cells").wait_for()
        assert page.get_by_text("Look before you trust").count() == 0
        assert page.get_by_text("Where its time went").count() == 0, "no traces are kept here"


def test_a_cell_at_the_border_is_told_to_be_so(browser: Any, door: tuple[str, Bucket]) -> None:
    labels = np.zeros((40, 50), np.int32)
    labels[:9, 5:15], labels[20:30, 20:35] = 1, 2
    cells = {"label": np.array([1, 2]), "at_border": np.array([True, False])}
    made_job(door[1], {"a.tif": tiff()}, "border")
    finish(door[1], "border", lambda entry: write_labels(labels, cells, None, {}))
    with visiting(browser, f"{door[0]}/#/jobs/border/images/0") as page:
        page.locator("canvas").press("n")
        page.get_by_text("It touches the border").wait_for()
        page.locator("canvas").press("n")
        page.get_by_text("Cell 2 of 2").wait_for()
        assert page.get_by_text("It touches the border").count() == 0


def test_a_channel_is_chosen_by_its_name_where_the_file_says_it(
    browser: Any, door: tuple[str, Bucket], tmp_path: Path
) -> None:
    named = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP & more"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((2, 40, 50), np.uint16), metadata=named)
    with visiting(browser, door[0]) as page:
        drop(page, tmp_path / "a.ome.tif")
        page.get_by_label("Channel, counted from 1").select_option("2: GFP & more")
        page.get_by_role("button", name="Start").click()
        page.get_by_text("channel 2").wait_for()


def test_jobs_are_turned_over_page_by_page(browser: Any, door: tuple[str, Bucket]) -> None:
    for number in range(51):
        made_job(door[1], {}, f"old{number:02d}", created=float(number), name=f"old {number}")
        finish(door[1], f"old{number:02d}", lambda entry: None)
    with visiting(browser, f"{door[0]}/#/jobs") as page:
        page.get_by_role("button", name="Older").click()
        page.get_by_text("old 0", exact=True).wait_for()
        page.get_by_role("button", name="Newer").click()
        page.get_by_text("old 50", exact=True).wait_for()


def test_a_rejected_image_has_its_reason_and_is_sent_through_again(
    browser: Any, door: tuple[str, Bucket], plate: Path
) -> None:
    with visiting(browser, door[0]) as page:
        submitted(page, plate)
        page.get_by_role("row", name="well A/broken.tif").get_by_text("bad input").wait_for()
        page.get_by_role("button", name="Replay").click()
        page.get_by_role("link", name="Outlines of cells in well A/broken.tif").wait_for()


def test_an_upload_that_broke_off_goes_on_where_it_was_when_the_same_files_are_dropped_again(
    browser: Any, door: tuple[str, Bucket], large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PART_SIZE", uploads.MIB)
    sent: list[str] = []

    def one_only(route: Any) -> None:
        number = route.request.url.rsplit("number=", 1)[1]
        if number == "1":
            sent.append(number)
            route.continue_()
        else:
            route.fulfill(status=503)

    with visiting(browser, door[0]) as page:
        page.route(TO_THE_STORE, one_only)
        drop(page, large)
        with page.expect_response(lambda answer: TO_THE_STORE.search(answer.url) and answer.ok):
            page.get_by_role("button", name="Start").click()
        page.on("dialog", lambda dialog: dialog.accept())
        page.reload()
        page.unroute(TO_THE_STORE)
        page.on("request", lambda request: "/memory:" in request.url and sent.append(request.url.rsplit("=", 1)[1]))
        submitted(page, large)
    assert sorted(sent) == ["1", "2", "3", "4", "5"]


def test_parts_pass_through_the_api_where_the_browser_can_not_reach_the_store(
    browser: Any, door: tuple[str, Bucket], plate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door[1], "address", NOWHERE)
    with visiting(browser, door[0]) as page:
        submitted(page, plate)
        page.get_by_text("done, some rejected").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(browser: Any, door: tuple[str, Bucket], plate: Path, scheme: str) -> None:
    with visiting(browser, door[0], viewport=PHONE, color_scheme=scheme) as page:
        job = submitted(page, plate)
        for path in PAGES:
            page.goto(f"{door[0]}/#/{path.format(job=job)}")
            page.locator("main h1").wait_for()
            assert sideways(page) == 0, path


def test_a_monolayer_that_asks_for_a_token_is_used_with_one(browser: Any, plate: Path) -> None:
    store = Bucket()
    store.address = NOWHERE
    secret, _ = create(store, "somebody", [Right.READ, Right.SUBMIT])
    app = create_app(store, stages(store), MODELS, access=Access(login=True))
    app.include_router(served.router(served.read_page(built.install(cache_folder(), quiet))))
    with serving(app) as address, visiting(browser, address) as page:  # parts pass through the API
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("alert").get_by_text("not one of this Monolayer").wait_for()
        page.get_by_label("Token").evaluate("(input, token) => (input.value = token)", "as a password manager does")
        page.get_by_role("button", name="Go on").click()
        page.wait_for_function("document.cookie.includes('manager')")
        page.get_by_label("Token").fill(secret)
        page.get_by_role("button", name="Go on").click()
        submitted(page, plate)
        page.get_by_text("done, some rejected").wait_for()
        page.locator(".gallery img").evaluate("image => image.decode()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(
    browser: Any, door: tuple[str, Bucket], plate: Path, scheme: str
) -> None:
    axe = (web_tools() / "node_modules" / "axe-core" / "axe.min.js").read_text()
    with visiting(browser, door[0], color_scheme=scheme, bypass_csp=True) as page:
        drop(page, plate)
        page.get_by_role("button", name="Start").wait_for()
        found = {"chosen": serious(page, axe)}
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/#/jobs/*")
        job = page.url.rsplit("/", 1)[1]
        for path in PAGES:
            page.goto(f"{door[0]}/#/{path.format(job=job)}")
            page.locator("main h1").wait_for()
            page.wait_for_load_state("networkidle")
            found[path] = serious(page, axe)
    assert {path: each for path, each in found.items() if each} == {}


def serious(page: Any, axe: str) -> list[str]:
    """What axe finds, with where it is."""
    page.evaluate(axe)
    broken = page.evaluate("axe.run().then((found) => found.violations)")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in broken if each["impact"] in ("serious", "critical")]


def test_everything_is_reached_with_the_keyboard(browser: Any, door: tuple[str, Bucket], plate: Path) -> None:
    with visiting(browser, door[0]) as page:
        job = submitted(page, plate)
        page.get_by_text("done, some rejected").wait_for()
        page.goto(f"{door[0]}/#/jobs/{job}")
        reached = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel"))
        assert {"Submit", "Download results", "Replay: send them through again", "well A/good.tif"} <= reached
