"""The logs of what runs on this machine: the last lines, and new ones as they come."""

import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


def log_files(folder: Path, name: str | None) -> list[Path]:
    """Return the log of one process, or all.

    Parameters
    ----------
    folder
        The state folder's ``logs``.
    name
        A process; None for all.
    """
    return sorted(path for path in folder.glob("*.log") if name in (None, path.stem))


def last_lines(path: Path, count: int, most_bytes: int = 1_000_000) -> list[str]:
    """Return the end of a log, without reading all of a long one.

    Parameters
    ----------
    path
        The log; may be missing.
    count
        How many lines.
    most_bytes
        How far to look back.
    """
    if not path.exists() or count < 1:
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - most_bytes))
        return file.read().decode(errors="replace").splitlines()[-count:]


def follow(paths: list[Path], pause: Callable[[], None] = lambda: time.sleep(0.25)) -> Generator[tuple[str, str]]:
    """Yield what is appended to logs from now on, as name and line; goes on when one is set aside and begun anew.

    Parameters
    ----------
    paths
        The logs.
    pause
        Called when there is nothing new.
    """
    tails = [_Tail(path, path.open("rb")) for path in paths]
    for tail in tails:
        tail.file.seek(0, 2)
    try:
        while True:
            lines = [(tail.path.stem, line) for tail in tails for line in tail.new_lines()]
            yield from lines
            if not lines:
                pause()
    finally:
        for tail in tails:
            tail.file.close()


@dataclass(slots=True)
class _Tail:
    path: Path
    file: BinaryIO
    rest: bytes = b""

    def new_lines(self) -> list[str]:
        content = self.file.read()
        if not content and self._was_set_aside():
            self.file.close()
            self.file = self.path.open("rb")
            content = self.file.read()
        *lines, self.rest = (self.rest + content).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _was_set_aside(self) -> bool:
        return self.path.exists() and not os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
