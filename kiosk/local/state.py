"""The state folder: data, logs, secrets, and what is running now."""

import json
import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.local.s3 import Keys

log = logging.getLogger(__name__)
_LOG_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class State:
    """A folder with a part for each server's data, ``logs/`` and ``run/`` (what is true only while it runs).

    Parameters
    ----------
    folder
        Where everything is kept. Removing it removes every image and result.
    """

    folder: Path

    def make(self) -> None:
        """Make the folders that are missing."""
        for name in ("kafka", "s3", "triton", "logs", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def run(self) -> Path:
        """The folder for what is true only while it runs."""
        return self.folder / "run"

    def log(self, name: str) -> Path:
        """Return the log file of a process.

        Parameters
        ----------
        name
            The process, such as ``kafka``; ``supervisor`` is the one that keeps the others.
        """
        return self.folder / "logs" / f"{name}.log"

    def keys(self) -> Keys:
        """Return the S3 server's keys, made once and readable by this user alone."""
        path = self.folder / "secrets.json"
        if not path.exists():
            made = {"access": secrets.token_hex(10), "secret": secrets.token_urlsafe(30)}
            write_json(path, made, mode=0o600)
        return Keys(**json.loads(path.read_text()))

    def remembered_ports(self) -> dict[str, int]:
        """Return the ports of the last start; empty before the first."""
        return dict(read_json(self.folder / "ports.json"))

    def remember_ports(self, ports: dict[str, int]) -> None:
        """Keep the ports for the next start.

        Parameters
        ----------
        ports
            One per name, see `kiosk.local.ports.USUAL`.
        """
        write_json(self.folder / "ports.json", ports)

    def status(self) -> dict[str, Any]:
        """Return what the supervisor wrote last; empty if it never ran."""
        return read_json(self.run / "status.json")

    def write_status(self, status: dict[str, Any]) -> None:
        """Replace what `status` returns. On a full disk the last one stays: nothing is stopped for want of a report.

        Parameters
        ----------
        status
            JSON, see `kiosk.local.stack.Local.status`.
        """
        try:
            write_json(self.run / "status.json", status)
        except OSError as error:
            log.warning("the status can't be written to %s: %s", self.run, error.strerror)


def state_folder() -> Path:
    """Return the folder that everything on this machine keeps its state in.

    Returns
    -------
    Path
        ``MONOLAYER_STATE``, else ``monolayer`` in the XDG state folder (usually ``~/.local/state``).
    """
    own = os.environ.get("MONOLAYER_STATE")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return (Path(own) if own else Path(base) / "monolayer").absolute()


def read_json(path: Path) -> dict[str, Any]:
    """Return a file's JSON object; empty when the file is missing or was cut off.

    Parameters
    ----------
    path
        The file.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content


def write_json(path: Path, content: dict[str, Any], mode: int = 0o644) -> None:
    """Replace a file so that a reader finds the old or the new content, never a part, also after a power cut.

    Parameters
    ----------
    path
        The file.
    content
        What to write.
    mode
        Who may read it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def rotate(log: Path, most_bytes: int = _LOG_BYTES) -> None:
    """Set a log aside as ``.1`` when it has grown too long; one older log is kept.

    Parameters
    ----------
    log
        The log file; may be missing.
    most_bytes
        The size from which on it is set aside.
    """
    if log.exists() and log.stat().st_size > most_bytes:
        log.replace(log.with_name(f"{log.name}.1"))
