"""A minute of `loadgen chaos`, and the proof that it would notice."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import pytest

from kiosk.local.processes import SEGMENT
from loadgen.chaos.plan import Plan
from loadgen.chaos.report import Injected
from loadgen.chaos.run import run
from loadgen.chaos.stack import send, until
from loadgen.chaos.world import Kind, World

pytestmark = pytest.mark.e2e
FAULTS = 12
SEED = 4  # among its dozen is an input read with a flipped bit


class Quiet:
    """Tells nobody."""

    def say(self, what: str) -> None:
        pass

    def count(self, done: int, of: int) -> None:
        pass

    def fault(self, fault: Injected) -> None:
        pass


def test_a_minute_of_chaos_loses_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    command = ("chaos", "--images", "150", "--minutes", "0.5", "--faults", str(FAULTS), "--seed", str(SEED), "--json")
    argv = [sys.executable, "-m", "loadgen", *command, "--report", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=280, check=False)
    said = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, said["sentences"]
    assert (said["lost"], said["duplicated"], said["differing"], said["anomalies"]) == (0, 0, 0, 0)
    assert said["faults"] + sum(said["not_met"].values()) >= FAULTS
    assert said["labelled"] + said["rejected"] == said["images"] >= 150
    assert said["acknowledged"] >= said["images"]


async def killed_at_work(world: World) -> str:
    await until(lambda: any(len(world.holdings.held(part.pid)) > 1 for part in world.stack.named(SEGMENT)), 30)
    part = max(world.stack.named(SEGMENT), key=lambda part: len(world.holdings.held(part.pid)))
    send(part, SIGKILL)
    return part.name


def test_workers_that_acknowledge_first_are_found_out_by_the_checker(tmp_path: Path) -> None:  # rule 16
    kills = [Kind("kill", "process", killed_at_work)]
    plan = Plan(100, 1, 1, kinds=kills, supervisor="tests.e2e.careless", patience=6)
    report = asyncio.run(run(plan, tmp_path, Quiet()))
    assert report.verified is not None
    assert report.verified["lost"] > 0
    assert report.acknowledged.wrong
    assert not report.clean
