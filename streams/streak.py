"""A model that fails on everything is broken: its images wait, instead of being rejected one after the other."""

import threading

MOST = 20
"""Images in a row that one process rejects for the model's own errors, before the model is held."""


class Streaks:
    """Failures in a row, by model."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._failed: dict[str, int] = {}

    def succeeded(self, model: str) -> None:
        """The model works."""
        with self._lock:
            self._failed.pop(model, None)

    def failed(self, model: str) -> bool:
        """Count one failure; whether there were too many in a row."""
        with self._lock:
            self._failed[model] = self._failed.get(model, 0) + 1
            return self._failed[model] > self._most
