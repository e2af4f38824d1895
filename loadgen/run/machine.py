"""What this machine does during a run: its cores, and the processes of Monolayer where it runs here."""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from kiosk.local.state import State, state_folder
from loadgen.run.journal import Sample
from loadgen.run.repeating import repeated

EVERY_SECONDS = 2.0
SENDER = "loadgen"


def about() -> dict[str, Any]:
    """What kind of machine it is, and with which versions it sends."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "monolayer": version("monolayer"),
        "busy_before": round(psutil.cpu_percent(0.5) / 100, 3),
    }


def here(api: str) -> State | None:
    """The state of the Monolayer on this machine, if it is the one at this address."""
    state = State(state_folder())
    return state if state.status().get("addresses", {}).get("api") == api else None


class Watch:
    """Looks at the machine, in a thread.

    Parameters
    ----------
    state
        Of the Monolayer here; none: only the machine and this process are looked at.
    keep, now
        Takes each sample; tells the moment.
    """

    def __init__(self, state: State | None, keep: Callable[[Sample], None], now: Callable[[], float]) -> None:
        self._state, self._keep, self._now = state, keep, now

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look every so many seconds, until the block ends."""

        def look() -> None:
            self._keep(self.sample())

        psutil.cpu_percent()  # the first one is of nothing
        look()
        try:
            with repeated(look, EVERY_SECONDS, "machine"):
                yield
        finally:
            look()

    def sample(self) -> Sample:
        """Look once."""
        own = psutil.Process().cpu_times()
        seconds, memory = _used(self._leaders())
        return Sample(self._now(), psutil.cpu_percent() / 100, memory, seconds | {SENDER: own.user + own.system})

    def _leaders(self) -> dict[int, str]:
        processes = self._state.status().get("processes", []) if self._state else []
        return {each["pid"]: each["name"] for each in processes if each["pid"]}


def _used(leaders: dict[int, str]) -> tuple[dict[str, float], float]:
    """CPU seconds by process, and bytes of all; the supervisor gives each a session, to which its children belong."""
    seconds, memory = dict.fromkeys(leaders.values(), 0.0), 0.0
    for process in psutil.process_iter() if leaders else ():
        with suppress(psutil.Error, OSError):
            leader = leaders.get(os.getsid(process.pid))
            if leader is not None:
                times = process.cpu_times()
                seconds[leader] += times.user + times.system
                memory += process.memory_info().rss
    return seconds, memory


def _cpu_model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
