"""What one writes in a notebook: images in, arrays and frames out."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from kiosk.client import AsyncKiosk, CannotSend, Kiosk, NotInstalled, NotRunning, Refused
from kiosk.client.arrays import write
from kiosk.client.job import Image
from storage.images import read_image
from storage.labels import write_labels
from tests.kiosk.front import BAD, Bucket, images_in, pixels

pandas = pytest.importorskip("pandas")
Door = tuple[str, Bucket]


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    folder = images_in(tmp_path / "plate", 2)
    (folder / "notes").write_bytes(BAD)
    return folder


def test_a_folder_becomes_masks_by_name_and_one_frame_of_all_cells(door: Door, plate: Path) -> None:
    with Kiosk(door[0], show=False) as kiosk:
        job = kiosk.submit(plate, diameter=12).wait()
        labels, cells = job.labels(), job.cells()
        assert list(labels) == ["0.tif", "1.tif"]
        assert labels["1.tif"].shape == (40, 50) and labels["1.tif"].max() == 2
        assert list(cells.columns[:3]) == ["image", "plane", "label"]
        assert list(cells.image) == ["0.tif", "0.tif", "1.tif", "1.tif"]
        assert list(cells.area_px) == [100, 150, 100, 150]
        assert [image.name for image in job.rejected()] == ["notes"]
        assert repr(job) == f"<Job {job.id}: 2 of 3 images labelled, 1 rejected>"
        assert "notes is no image" in job._repr_html_()


def test_arrays_are_sent_as_files_with_the_same_pixels(door: Door, tmp_path: Path) -> None:
    images = {"a": pixels(seed=1), "deep/b.tif": pixels((2, 40, 50), seed=2)}
    write(images, tmp_path)
    for name, sent in (("a.tif", images["a"][None]), ("deep/b.tif", images["deep/b.tif"])):
        assert np.array_equal(read_image((tmp_path / name).read_bytes(), name, None).planes, sent)
    with Kiosk(door[0], show=False) as kiosk:
        assert list(kiosk.submit(images).wait().labels()) == ["a.tif", "deep/b.tif"]
        assert list(kiosk.submit(pixels()).wait().labels()) == ["image_0000.tif"]
        assert len(kiosk.submit([pixels(), pixels(seed=3)]).wait().labels()) == 2


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ({"a": pixels().astype(np.float32)}, "a.tif is float32; convert it to uint8 or uint16."),
        ({"a": pixels((1, 1, 4, 5))}, "a.tif is 1 x 1 x 4 x 5; it must be height x width, or planes x height x width."),
        ({"../a": pixels()}, "../a.tif is no name of a file."),
    ],
)  # fmt: skip
def test_arrays_that_are_no_images_are_refused_in_a_sentence(images: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(CannotSend) as raised:
        write(images, tmp_path)
    assert str(raised.value) == why


def test_an_image_is_found_by_its_number_or_its_name_and_shows_its_overlay(door: Door, plate: Path) -> None:
    with Kiosk(door[0], show=False) as kiosk:
        job = kiosk.submit(plate).wait()
        assert job.image(1).name == "1.tif" and job.image("1.tif").number == 1
        image = job.image(1)
        assert image._repr_png_() == image.overlay() and image.overlay().startswith(b"\x89PNG")
        assert job.image("notes").fate == "rejected" and job.image("notes")._repr_png_() is None
        with pytest.raises(Refused, match="has no labels"):
            _ = job.image("notes").labels
        with pytest.raises(CannotSend, match=r"no image 'c\.tif'"):
            job.image("c.tif")


def test_a_stack_has_a_plane_more_than_an_image_and_says_of_each_cell_in_which_it_is(
    door: Door, tmp_path: Path
) -> None:
    stack = np.zeros((2, 40, 50), np.int32)
    stack[0, :5, :5], stack[1, :7, :7] = 1, 2
    cells = {"plane": np.array([0, 1]), "label": np.array([1, 2])}
    with Kiosk(door[0], show=False) as kiosk:
        job = kiosk.submit({"s": pixels((2, 40, 50))}).wait()
        [key] = [stat.key for stat in door[1].list("jobs/") if "/labels/" in stat.key]
        door[1].put(key, write_labels(stack, cells, None, {}))
        assert np.array_equal(job.labels()["s.tif"], stack)
        assert list(job.cells().plane) == [0, 1]


def test_results_are_saved_as_the_command_line_saves_them(door: Door, plate: Path, tmp_path: Path) -> None:
    with Kiosk(door[0], show=False) as kiosk:
        written = kiosk.submit(plate).wait().save(tmp_path / "out")
        assert tmp_path / "out" / "manifest.json" in written
        assert tifffile.imread(tmp_path / "out" / "labels" / "0.tif").max() == 2


def test_what_would_become_several_jobs_is_refused(door: Door, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"PK")
    with Kiosk(door[0], show=False) as kiosk, pytest.raises(CannotSend, match="one by one"):
        kiosk.submit([tmp_path / "a.zip", tmp_path / "b.zip"])


def test_without_pandas_it_says_what_to_install(door: Door, plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with Kiosk(door[0], show=False) as kiosk, pytest.raises(NotInstalled, match=r"pip install '\.\[client\]'"):
        kiosk.submit(plate).wait().cells()


def test_progress_is_drawn_where_it_is_wanted(door: Door, plate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Kiosk(door[0], show=True) as kiosk:
        kiosk.submit(plate).wait()
    drawn = capsys.readouterr().err
    assert "plate.zip" in drawn and "3/3" in drawn and "1 rejected" in drawn


def test_with_an_event_loop_everything_that_waits_is_awaited(door: Door, plate: Path, tmp_path: Path) -> None:
    async def use() -> tuple[list[Image], int, int, list[Path]]:
        async with AsyncKiosk(door[0], show=False) as kiosk:
            job = await (await kiosk.submit(plate, diameter=12)).wait()
            assert [found.id for found in await kiosk.jobs()] == [job.id]
            rejected = await kiosk.job(job.id).rejected()
            written = await job.save(tmp_path / "out")
            return await job.images(), len(await job.cells()), len(rejected), written

    images, cells, rejected, written = asyncio.run(use())
    assert ([image.name for image in images], cells, rejected) == (["0.tif", "1.tif", "notes"], 4, 1)
    assert written


def test_where_nothing_runs_it_says_how_to_start_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path))
    monkeypatch.delenv("MONOLAYER_API", raising=False)
    with pytest.raises(NotRunning, match="monolayer up"):
        Kiosk()
