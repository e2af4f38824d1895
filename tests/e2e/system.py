"""The whole system as a user starts it: `monolayer up --detach` in a folder of its own, on free ports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import observable

MONOLAYER = Path(sys.executable).parent / "monolayer"


@dataclass(frozen=True)
class System:
    """A running Monolayer and the command line that talks to it."""

    state: Path

    def up(self) -> str:
        """Start it, observed where that can be had; returns what was printed."""
        return self.run("up", "--detach", *(["--observe"] if observable() else []), seconds=600)

    def run(self, *arguments: str | Path, code: int = 0, seconds: float = 240) -> str:
        """Run `monolayer ...`; returns what it printed."""
        environment = {**os.environ, "MONOLAYER_STATE": str(self.state), "NO_COLOR": "1"}
        done = subprocess.run(
            [MONOLAYER, *arguments], env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == code, f"{arguments} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def submit(self, *arguments: str | Path, code: int = 0, seconds: float = 240) -> dict[str, Any]:
        """`monolayer submit --wait --json`: the last object it printed."""
        printed = self.run("submit", *arguments, "--wait", "--json", code=code, seconds=seconds)
        answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return answer

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run("status", "--json"))
        return answer

    def pid(self, name: str) -> int:
        return next(process["pid"] for process in self.status()["processes"] if process["name"] == name)

    def kill(self, name: str) -> None:
        """kill -9, as the kernel does it when memory is short."""
        os.kill(self.pid(name), signal.SIGKILL)

    def environment(self) -> dict[str, str]:
        answer: dict[str, str] = json.loads(self.run("env", "--json"))
        return answer

    def job(self, job: str) -> dict[str, Any]:
        """The job's state as `monolayer show` tells it."""
        answer: dict[str, Any] = json.loads(self.run("show", job, "--json"))
        return answer


def until(true: Callable[[], Any], seconds: float = 60, every: float = 0.2) -> Any:
    """Wait for a condition; what it returned."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        assert time.monotonic() < end, "waited in vain"
        time.sleep(every)
