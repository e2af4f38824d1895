"""The whole system, for benchmarks."""

import json
import statistics
import sys
import time
from pathlib import Path

import psutil

from kiosk.client import Monolayer
from kiosk.local.cache import cache_folder
from kiosk.local.processes import EVERYTHING, OBSERVED
from kiosk.local.stack import Local
from kiosk.local.state import State


class Ours:
    """The whole system in a folder of its own.

    Parameters
    ----------
    folder
        Where its state is.
    observed
        Whether what watches it runs as well.
    """

    def __init__(self, folder: Path, *, observed: bool = False) -> None:
        self.local = Local(State(folder), cache_folder(), OBSERVED if observed else EVERYTHING, any_ports=True)
        self.local.install(lambda part, words: print(f"  {part}: {words}", file=sys.stderr))
        self.local.start(bound=True)
        self.local.wait()
        self.uploads: list[float] = []
        self.client = Monolayer(self.local.status()["addresses"]["api"])

    def run(self, archive: Path, mark: str) -> float:
        """Seconds from `submit` to the end of the job."""
        begun = time.perf_counter()
        (job,) = self.client.submit([archive], diameter=24, submission=mark)
        self.uploads.append(time.perf_counter() - begun)
        state = self.client.wait(job, every=0.25)
        seconds = time.perf_counter() - begun
        if state.labelled != state.images:
            raise SystemExit(f"job {job}: {state.labelled} of {state.images} labelled")
        return seconds

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process, with children."""
        seconds = {}
        for process in self.local.status()["processes"]:
            parent = psutil.Process(process["pid"])
            family = [parent, *parent.children(recursive=True)]
            seconds[process["name"]] = sum(sum(member.cpu_times()[:2]) for member in family)
        return seconds

    def phases(self) -> dict[str, float]:
        """Milliseconds per image by phase, as the stages log them."""
        lines = (self.local.state.folder / "logs" / "stage-segment.log").read_text().splitlines()
        spent = [json.loads(line)["seconds"] for line in lines if '"image_labelled"' in line]
        names = sorted({name for each in spent for name in each})
        return {name: round(1000 * statistics.mean(each.get(name, 0.0) for each in spent), 1) for name in names}

    def close(self) -> None:
        """Stop it."""
        self.client.close()
        self.local.stop()
