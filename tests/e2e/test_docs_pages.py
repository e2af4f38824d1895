"""What the pages of the documentation tell people to do, done: each page's blocks, in order, in a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docs.building import PAGES
from docs.fences import fences
from tests.docs.written import pages, script
from tests.e2e.system import System, until

pytestmark = pytest.mark.e2e

TUTORIAL = PAGES / "tutorial.md"
RUNNABLE = [page for page in pages() if any(fence.runs for fence in fences(page.read_text()))]
BY_OTHERS = {"s3", "kafka"}
"""Pages that submit the plate without our client, and don't wait for it."""


def drawn(folder: Path) -> None:
    """The images that the tutorial draws, which all other pages take for granted."""
    source = next(fence.text for fence in fences(TUTORIAL.read_text()) if fence.language == "python")
    subprocess.run([sys.executable, "-c", source], cwd=folder, check=True)


def newest(system: System) -> dict[str, Any]:
    job: dict[str, Any] = json.loads(system.run("jobs", "--limit", "1", "--json"))["jobs"][0]
    return job


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.stem)
def test_what_a_page_tells_to_do_works(system: System, page: Path, tmp_path: Path) -> None:
    if page != TUTORIAL:
        drawn(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    seen = {name: value for name, value in os.environ.items() if not name.endswith("DISPLAY")}  # no browser pops up
    environment = {**seen, "PATH": path, "MONOLAYER_STATE": str(system.state), "NO_COLOR": "1"}
    done = subprocess.run(
        ["timeout", "280", "bash", "-xc", script(page.read_text())],  # says what it was at when its time was over
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{page.name}\n{done.stdout}\n{done.stderr}"
    if page.stem in BY_OTHERS:
        until(lambda: (job := newest(system))["name"] == "plate1.zip" and job["labelled"] == 3)


def test_the_tutorial_leaves_the_files_that_it_speaks_of(system: System, tmp_path: Path) -> None:
    drawn(tmp_path)
    system.submit(tmp_path / "plate1", "--diameter", "24", "--out", tmp_path / "plate1-out")
    told = TUTORIAL.read_text()
    for name in ("overlays/well_0.png", "labels/well_0.tif", "cells.csv", "manifest.json"):
        assert f"`{name}`" in told
        assert (tmp_path / "plate1-out" / name).is_file()
