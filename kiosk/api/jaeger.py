"""Asks Jaeger for traces, over its HTTP API, version 3; the API's clients need not know where it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import httpx

from kiosk.api.problems import Trouble

SECONDS = 10.0
AWAY = "Jaeger, which keeps the traces, can't be asked just now; try again in a moment."


class Told(NamedTuple):
    """A span as it is kept: ids in hexadecimal, times in nanoseconds since 1970, a root's parent empty."""

    trace: str
    span: str
    parent: str
    name: str
    begun: int
    ended: int
    about: dict[str, str]


class Keeps(Protocol):
    """Who keeps traces: Jaeger, or a list in tests."""

    def trace(self, trace: int) -> list[Told]:
        """All spans of a trace; none where it isn't there."""

    def images(self, since: float, until: float, most: int) -> list[Told]:
        """Roots of images' traces that began between two moments, in seconds since 1970."""


class Jaeger:
    """A Jaeger at an address such as `http://127.0.0.1:16686`; raises `Trouble` where it can't be asked."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=SECONDS)

    def trace(self, trace: int) -> list[Told]:
        """All spans of a trace; none where it isn't there."""
        return self._asked(f"/api/v3/traces/{trace:032x}", {})

    def images(self, since: float, until: float, most: int) -> list[Told]:
        """Roots of images' traces that began between two moments, in seconds since 1970."""
        query = {
            "query.service_name": "monolayer",
            "query.operation_name": "image",
            "query.start_time_min": _moment(since),
            "query.start_time_max": _moment(until),
            "query.num_traces": str(most),
            "query.search_depth": str(most),  # what newer versions call it
        }
        return [span for span in self._asked("/api/v3/traces", query) if not span.parent]

    def _asked(self, path: str, query: dict[str, str]) -> list[Told]:
        try:
            answer = self._http.get(path, params=query)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return []
            answer.raise_for_status()
            return list(read(answer.json()))
        except (httpx.HTTPError, ValueError, KeyError):
            raise Trouble(HTTPStatus.SERVICE_UNAVAILABLE, AWAY) from None


def read(answer: dict[str, Any]) -> Iterator[Told]:
    """The spans of an answer, each once: who dies after telling of an image is followed by somebody who tells again."""
    found: dict[str, Told] = {}
    for resource in answer.get("result", {}).get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in map(_span, scope.get("spans", [])):
                found[span.trace + span.span] = span
    yield from sorted(found.values(), key=lambda span: (span.begun, -span.ended))


def _span(told: dict[str, Any]) -> Told:
    return Told(
        told["traceId"],
        told["spanId"],
        told.get("parentSpanId", ""),
        told["name"],
        int(told["startTimeUnixNano"]),
        int(told["endTimeUnixNano"]),
        {each["key"]: str(next(iter(each["value"].values()), "")) for each in told.get("attributes", [])},
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
