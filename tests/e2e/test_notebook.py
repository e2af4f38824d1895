"""The example notebook, cell by cell, in an environment that has nothing but what the client's extra installs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kiosk.client
from tests.e2e.system import System

pytestmark = pytest.mark.e2e
NOTEBOOK = Path(kiosk.client.__file__).parent / "example.ipynb"
ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
RUN = """
import json
here = {{"__name__": "__main__"}}
for cell in json.load(open({notebook!r}))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), "a cell", "exec"), here)
print(json.dumps({{"cells": len(here["table"]), "png": len(here["job"].image("left.tif")._repr_png_())}}))
"""


def uv(*arguments: str | Path) -> None:
    """Run uv, without a network where its cache has everything, as it has after this environment was made."""
    for more in (["--offline"], []):
        done = subprocess.run(
            [Path(sys.executable).parent / "uv", *arguments, *more], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
    raise AssertionError(done.stderr)


@pytest.fixture
def client_alone(tmp_path: Path) -> Path:
    """The Python of an environment in which this package was installed with the client's extra, and nothing else."""
    sources, made = tmp_path / "sources", tmp_path / "environment"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, sources / name)
    uv("build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path, sources)
    uv("venv", "-q", "--python", sys.executable, made)
    [wheel] = tmp_path.glob("*.whl")
    uv("pip", "install", "-q", "--python", made / "bin" / "python", "-c", LOCK, f"{wheel}[client]")
    return made / "bin" / "python"


def test_the_notebook_runs_with_the_client_alone_and_finds_the_cells(
    system: System, client_alone: Path, tmp_path: Path
) -> None:
    api = system.status()["addresses"]["api"]
    ran = subprocess.run(
        [client_alone, "-W", "error", "-c", RUN.format(notebook=str(NOTEBOOK))],
        env={"MONOLAYER_API": api, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert 60 <= found["cells"] <= 90
    assert found["png"] > 1000
    assert (tmp_path / "plate1-out" / "cells.csv").exists()


def test_the_notebook_is_committed_without_what_it_printed() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
