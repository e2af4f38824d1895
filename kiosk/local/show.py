"""What a person sees while parts are installed, start and stop: a line per part that changes, or lines one by one."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

_STYLES: Mapping[str, str] = {"ready": "green", "done": "green", "failed": "red", "restarting": "yellow"}


class Parts:
    """Parts and what each does now; may be told from several threads."""

    def __init__(self, live: Live | None) -> None:
        self._live, self._lock = live, Lock()
        self._words: dict[str, str] = {}
        self._begun = time.monotonic()

    def tell(self, part: str, words: str) -> None:
        """Show what a part does now.

        Parameters
        ----------
        part
            Its name.
        words
            A few words.
        """
        with self._lock:
            if self._words.get(part) == words:
                return
            self._words[part] = words
            if self._live:
                self._live.update(self._table(), refresh=True)
            else:
                print(f"{time.monotonic() - self._begun:6.1f} s  {part}: {words}", file=sys.stderr, flush=True)

    def look(self, status: Mapping[str, Any]) -> None:
        """Show the states of processes.

        Parameters
        ----------
        status
            From `Local.status`.
        """
        for process in status["processes"] if status["running"] else []:
            trouble = process["state"] == "restarting" and process["error"]
            self.tell(process["name"], f"{process['state']}: {process['error']}" if trouble else process["state"])

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for part, words in self._words.items():
            table.add_row(part, Text(words, style=_STYLES.get(words.split(":")[0], "")))
        return table


@contextmanager
def parts() -> Iterator[Parts]:
    """Show parts on standard error for the length of a block."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Parts(None)
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield Parts(live)
