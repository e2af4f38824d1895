"""A program's clock can be stepped from outside while it runs."""

import os
import subprocess
import sys
from pathlib import Path

import loadgen.chaos.stack
from loadgen.chaos.stack import Stack

CLOCKED = Path(loadgen.chaos.stack.__file__).parent / "clocked"
LOOK = "import time; print(time.time() - time.clock_gettime(time.CLOCK_REALTIME))"


def ahead(folder: Path, heartbeat: str) -> float:
    variables = {"PYTHONPATH": str(CLOCKED), "MONOLAYER_CLOCKS": str(folder / "clocks")}
    environment = {**os.environ, **variables, "MONOLAYER_HEARTBEAT": heartbeat}
    return float(subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, check=True).stdout)


def test_only_the_stepped_programs_clock_is_wrong_and_it_can_be_put_right_again(tmp_path: Path) -> None:
    stack = Stack(tmp_path, workers=1)
    stack.set_clock("stage-collect", -3600)
    assert round(ahead(tmp_path, "/run/stage-collect.ready")) == -3600
    assert round(ahead(tmp_path, "/run/stage-unzip.ready")) == 0
    stack.set_clock("stage-collect", 0)
    assert round(ahead(tmp_path, "/run/stage-collect.ready")) == 0
