"""Everything on this machine, from outside: start it, look at it, stop it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from typing import Any

from kiosk.local import install
from kiosk.local.cache import LocalError, cache_folder
from kiosk.local.leftovers import alive, end, kill_leftovers, memory_mb
from kiosk.local.logs import last_lines
from kiosk.local.process import bound_to_parent
from kiosk.local.processes import EVERYTHING, OBSERVED
from kiosk.local.s3 import Keys
from kiosk.local.settings import HERE, aws_environment, environment, segment_workers
from kiosk.local.state import State, rotate, state_folder

_STOP_SECONDS = 14.0  # the supervisor itself gives up waiting after 12
_HOPELESS_RESTARTS = 3


class NotStarted(LocalError):
    """A part did not come; the message says which, and ends with the last lines of its log."""


@dataclass(slots=True)
class Local:
    """What runs on this machine for one state folder.

    Parameters
    ----------
    state
        The state folder.
    cache
        Where the servers are installed.
    parts
        What to run; everything unless told otherwise.
    any_ports
        Whether to leave the usual ports alone, as tests do.
    workers
        How many processes segment images.
    through
        Proxies by part, which the stages, the inbox and the API are given instead of the servers' addresses.
    variables
        Further environment variables for all that runs.
    supervisor
        The module that is run as the supervisor.
    host
        Where the API and the S3 server listen.
    """

    state: State
    cache: Path
    parts: Collection[str] = EVERYTHING
    any_ports: bool = False
    workers: int = 1
    through: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    supervisor: str = "kiosk.local"
    host: str = HERE
    _started: subprocess.Popen[bytes] | None = None

    @classmethod
    def usual(cls, observe: bool = False, host: str = HERE) -> "Local":
        """Return everything, in the folders that the environment names.

        Parameters
        ----------
        observe
            Whether what watches it is started as well.
        host
            Where the API listens.
        """
        parts = OBSERVED if observe else EVERYTHING
        return cls(State(state_folder()), cache_folder(), parts, workers=segment_workers(), host=host)

    def install(self, tell: Callable[[str, str], None]) -> None:
        """Download and build what is missing; `tell` hears the part and how far it is.

        Parameters
        ----------
        tell
            See `kiosk.local.install.install`.

        Raises
        ------
        LocalError
            Not all could be had.
        """
        install.install(self.cache, self.parts, tell)

    def start(self, *, bound: bool) -> None:
        """Start the supervisor.

        Parameters
        ----------
        bound
            Whether everything stops when this process ends, however it ends.
        """
        self.state.make()
        log = self.state.log("supervisor")
        rotate(log)
        argv = [sys.executable, "-m", self.supervisor, *self._arguments()]
        with log.open("ab") as output:
            self._started = subprocess.Popen(
                bound_to_parent(argv, SIGTERM) if bound else argv,
                env={**os.environ, **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, seconds: float = 120.0, look: Callable[[dict[str, Any]], None] = lambda status: None) -> None:
        """Wait until every part works.

        Parameters
        ----------
        seconds
            For how long.
        look
            Called with the status several times a second.

        Raises
        ------
        NotStarted
            The supervisor ended, a part was restarted too often, or the time is over.
        """
        end = time.monotonic() + seconds
        while True:
            ended = self._started is not None and self._started.poll() is not None
            status = self.status()
            look(status)
            if status["ready"]:
                return
            if ended and not status["running"]:
                raise NotStarted(f"The supervisor ended:\n{self._end_of_log('supervisor')}")
            if time.monotonic() > end or _hopeless(status):
                raise NotStarted(self._what_failed(status))
            time.sleep(0.1)

    def status(self) -> dict[str, Any]:
        """Return how things are.

        Returns
        -------
        dict
            ``running``, ``ready``, ``observed`` (bool), ``state_folder``, ``addresses`` (part to address), ``error`` (a
            sentence or None) and ``processes``: ``name``, ``pid``, ``state``, ``restarts``, ``since`` (Unix time),
            ``error`` (the last one), and ``rss_mb``, the memory in MB together with what the process itself started.
        """
        written = self.state.status()
        running = self._supervisor(written) is not None
        processes = [_with_memory(record, running) for record in written.get("processes", [])]
        works = bool(processes) and all(process["state"] == "ready" for process in processes)
        return {
            "running": running,
            "ready": running and works and written["prepared"],
            "observed": running and written.get("observed", False),
            "state_folder": str(self.state.folder),
            "addresses": written.get("addresses", {}),
            "error": written.get("error"),
            "processes": processes,
        }

    def stop(self) -> list[str]:
        """Stop everything and return the names of what was running; empty if nothing was."""
        written = self.state.status()
        running = [record["name"] for record in written.get("processes", []) if alive(record)]
        if supervisor := self._supervisor(written):
            end(supervisor, _STOP_SECONDS)  # if it takes longer, the kernel ends its children together with it
        if self._started:
            self._started.wait(5)
            self._started = None
        return list(dict.fromkeys([*running, *kill_leftovers(self.state.status(), self.state.folder)]))

    def environment(self) -> dict[str, str]:
        """Return the variables with which other programs find the parts.

        Raises
        ------
        LocalError
            It was never started, so there are none.
        """
        addresses = self.state.status().get("addresses")
        if not addresses:
            raise LocalError(f"Nothing was started yet in {self.state.folder}: run `monolayer up` first.")
        return environment(addresses, self.keys()) | aws_environment(addresses, self.keys())

    def keys(self) -> Keys:
        """Return the keys of the S3 server."""
        return self.state.keys()

    def folder_of(self, endpoint: str) -> Path | None:
        """Return where the S3 server at an address keeps its things, if it is this machine's.

        Parameters
        ----------
        endpoint
            Scheme, host and port.
        """
        ours = self.state.status().get("addresses", {}).get("s3")
        return self.state.folder / "s3" if endpoint == ours else None

    def _arguments(self) -> list[str]:
        folders = ["--state", str(self.state.folder), "--cache", str(self.cache)]
        what = ["--parts", ",".join(self.parts), "--workers", str(self.workers), "--host", self.host]
        through = [word for part, address in self.through.items() for word in ("--through", f"{part}={address}")]
        return [*folders, *what, *through, *(["--any-ports"] if self.any_ports else [])]

    def _supervisor(self, written: dict[str, Any]) -> Any:
        """Return the supervisor's process if it lives; of one just started, only once it has written down itself."""
        process = alive(written.get("supervisor", {}))
        just_started = self._started is not None and self._started.poll() is None
        return process if not just_started or (process and process.pid == self._started.pid) else None  # type: ignore[union-attr]

    def _what_failed(self, status: dict[str, Any]) -> str:
        late = [process for process in status["processes"] if process["state"] != "ready"]
        worst = max(late, key=lambda process: int(process["restarts"]), default=None)
        if worst is None:
            return f"The supervisor said nothing:\n{self._end_of_log('supervisor')}"
        reason = worst["error"] or status["error"] or f"is {worst['state']}"
        return f"{worst['name']} did not start: {reason}\n{self._end_of_log(worst['name'])}".rstrip()

    def _end_of_log(self, name: str) -> str:
        return "\n".join(last_lines(self.state.log(name), 15))


def _hopeless(status: dict[str, Any]) -> bool:
    return status["running"] and any(
        process["restarts"] >= _HOPELESS_RESTARTS and process["state"] != "ready" for process in status["processes"]
    )


def _with_memory(record: dict[str, Any], running: bool) -> dict[str, Any]:
    shown = {key: record[key] for key in ("name", "pid", "state", "restarts", "since", "error")}
    process = alive(record) if running else None
    if process is None:
        return shown | {"pid": None, "state": record["state"] if running else "stopped", "rss_mb": 0}
    return shown | {"rss_mb": memory_mb(process)}
