"""`loadgen run` against the whole system: a load, its report, and the verdict once more later."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import System
from tests.servers import observable

pytestmark = pytest.mark.e2e
LOAD = ("--images", "20", "--zip-size", "10", "--delay", "0.5", "--image-size", "96", "--warmup", "0")


def loadgen(system: System, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    environment = {**os.environ, "MONOLAYER_STATE": str(system.state), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "loadgen", *map(str, arguments), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_load_is_reported_image_by_image_and_can_be_verified_again(system: System, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    told = loadgen(system, "run", *LOAD, "--prices", "workstation", "--report", folder)
    assert told["images"]["fates"] == {"labelled": 20}
    assert told["zips"]["accepted"] == told["zips"]["sent"] == 2
    assert (told["verdict"]["images"], told["verdict"]["lost"], told["verdict"]["anomalies"]) == (20, 0, 0)
    assert told["cost"]["used"]["images"] == 20
    assert told["repeats"][0]["images_per_second"] > 0
    assert told["observed"] == observable()
    if observable():
        assert told["accounted"] > 0.99
        assert {"upload", "tile.fetch", "predict.model", "postprocess.store"} <= told["phases_s"].keys()
    assert "<svg" in (folder / "report.html").read_text()
    (folder / "report.json").unlink()
    assert loadgen(system, "report", folder)["images"] == told["images"]
