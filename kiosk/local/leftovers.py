"""Processes by number and time of birth, which name one for good: still alive, how large, and ended when left over."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

MARK = "MONOLAYER_CHILD_OF"
"""Set for everything that the supervisor starts; its value is the state folder."""
_BIRTH_SECONDS = 3.0  # the system counts births from a boot time that it rounds and adjusts


def own_record() -> dict[str, Any]:
    """Return what `alive` needs to find this process again."""
    return {"pid": os.getpid(), "created": psutil.Process().create_time()}


def alive(record: Mapping[str, Any]) -> psutil.Process | None:
    """Return the process that was recorded, unless it is gone or its number belongs to another one by now.

    Parameters
    ----------
    record
        With ``pid`` and ``created``, as in the status file.
    """
    if not record.get("pid"):
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(record["pid"])
        same = abs(process.create_time() - record["created"]) < _BIRTH_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    return None


def memory_mb(process: psutil.Process) -> int:
    """Return the resident memory of a process and of those it started, in MB; what those share is counted once.

    Parameters
    ----------
    process
        From `alive`; 0 if it just ended.
    """
    total = 0
    with suppress(psutil.NoSuchProcess):
        total += process.memory_info().rss
        for each in process.children(recursive=True):
            total += each.memory_full_info().pss
    return round(total / 1e6)


def end(process: psutil.Process, seconds: float) -> None:
    """End a process with SIGTERM, and with SIGKILL if that takes too long.

    Parameters
    ----------
    process
        From `alive`.
    seconds
        How long is too long.
    """
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)


def kill_leftovers(status: Mapping[str, Any], state_folder: Path) -> list[str]:
    """Kill the processes of the status file that are still there, and what those started in their sessions.

    Parameters
    ----------
    status
        What the supervisor wrote last.
    state_folder
        The state folder that they belong to.

    Returns
    -------
    list of str
        The names of those that were there.
    """
    records = status.get("processes", [])
    leaders = {record["name"]: process for record in records if (process := alive(record))}
    sessions = {record["pid"] for record in records if record.get("pid")}
    victims = [*leaders.values(), *_members(sessions, state_folder)]
    for process in victims:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(victims, timeout=5)
    return list(leaders)


def _members(sessions: set[int], state_folder: Path) -> Iterator[psutil.Process]:
    """Find the processes of some sessions that carry our mark; a session's number may be someone else's by now."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) in sessions and process.environ().get(MARK) == str(state_folder):
                yield process
