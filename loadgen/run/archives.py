"""The zips of a run, written before they are due: making images takes a core, and that is the system's then."""

import os
import shutil
import threading
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from loadgen.fields import write_archive
from loadgen.run.plan import BadPlan, Due, Plan

SPARE = 2.0
"""The disk must have room for so many times what is sent: the object store may lie on it as well."""
SEEDS = 10_000_000
"""Between two seeds of runs: no two of them share an image."""


@dataclass(frozen=True, slots=True)
class Archives:
    """Makes a run's zips in a folder.

    Parameters
    ----------
    plan
        What is in them.
    files
        Real images, which come in turn; without any, images are made up.
    folder
        Where zips lie until they were sent.
    """

    plan: Plan
    files: Sequence[Path]
    folder: Path

    def make(self, dues: Sequence[Due], stop: threading.Event, tell: Callable[[int], None]) -> None:
        """Write zips, and tell how many there are; returns early where it is to stop."""

        def write(due: Due) -> None:
            if not stop.is_set():
                self.write(due)

        with ThreadPoolExecutor(os.cpu_count() or 1, "archives") as pool:
            for done, _ in enumerate(pool.map(write, dues), 1):
                tell(done)

    def path(self, due: Due) -> Path:
        """Of a zip."""
        return self.folder / due.name

    def write(self, due: Due) -> None:
        """Write one zip."""
        if self.files:
            self._pack(due)
            return
        side, cells, seed = self.plan.image_size, self.plan.cells, self.plan.seed * SEEDS + due.first
        write_archive(self.path(due), due.images, side, cells, seed)

    def _pack(self, due: Due) -> None:
        with zipfile.ZipFile(self.path(due), "w") as archive:
            for number in range(due.first, due.first + due.images):
                file = self.files[number % len(self.files)]
                archive.write(file, f"{number:08d}_{file.name}")


def check_room(plan: Plan, files: Sequence[Path], folder: Path) -> None:
    """Raise `BadPlan` where the disk can't hold a repeat's zips."""
    needed, free = SPARE * plan.images * _bytes(plan, files), shutil.disk_usage(folder).free
    if needed > free:
        raise BadPlan(
            f"{plan.images:,} images need about {needed / 1e9:.1f} GB of disk, and {folder} has {free / 1e9:.1f} GB: "
            "send fewer, or name a report folder on another disk."
        )


def _bytes(plan: Plan, files: Sequence[Path]) -> float:
    """Of an image's file, about."""
    if files:
        return sum(file.stat().st_size for file in files) / len(files)
    return 2.0 * plan.image_size**2
