"""Which alerts fire now, as whoever judges the rules tells it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import httpx

_SECONDS = 5.0
_SEVERITIES = ("page", "ticket")


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fires.

    Parameters
    ----------
    name
        As in the rules, and the runbook.
    severity
        ``page`` or ``ticket``.
    summary
        What is wrong, in a few words.
    since
        From when on the rule held, as Unix time.
    """

    name: str
    severity: str
    summary: str
    since: float

    def json(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def firing(address: str) -> list[Alert] | None:
    """Return the alerts that fire, the gravest first; none at all where nobody could tell.

    Parameters
    ----------
    address
        Where Prometheus' ``/api/v1/alerts`` is answered.
    """
    try:
        answer = httpx.get(f"{address}/api/v1/alerts", timeout=_SECONDS).raise_for_status()
        told = answer.json()["data"]["alerts"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return sorted((_alert(each) for each in told if each["state"] == "firing"), key=_gravest)


def _alert(told: Mapping[str, Any]) -> Alert:
    labels, since = told["labels"], datetime.fromisoformat(told["activeAt"])
    return Alert(labels["alertname"], labels["severity"], told["annotations"]["summary"], since.timestamp())


def _gravest(alert: Alert) -> tuple[int, str, str]:
    return _SEVERITIES.index(alert.severity), alert.name, alert.summary
