"""Traces as Jaeger tells of them: over its HTTP API, version 3, which speaks OpenTelemetry's JSON.

The API has a reader as well; the checker reads with eyes of its own, so that an error in one can't hide in the other.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import httpx

SERVICE = "monolayer"
SECONDS = 30.0
"""For one answer: a search reads many traces."""


class JaegerAway(Exception):
    """Jaeger can't be asked, so nothing can be said of traces."""


class Span(NamedTuple):
    """One span; times in nanoseconds since 1970, ids in hexadecimal, a root's parent is empty."""

    trace: str
    span: str
    parent: str
    name: str
    begun: int
    ended: int
    about: dict[str, str]


class Traces(Protocol):
    """Where traces are kept; safe from any thread; raises only `JaegerAway`."""

    def trace(self, trace: str) -> Sequence[Span]:
        """All spans of a trace; none where there is no such trace."""

    def roots(self, name: str, begun: int, ended: int, most: int) -> Sequence[Span]:
        """The spans without a parent of this name that began between two moments."""


class Jaeger:
    """A Jaeger at an address such as `http://127.0.0.1:16686`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http = httpx.Client(base_url=address, timeout=SECONDS)

    def trace(self, trace: str) -> Sequence[Span]:
        """All spans of a trace; none where there is no such trace."""
        return list(self._asked(f"/api/v3/traces/{trace}", {}))

    def roots(self, name: str, begun: int, ended: int, most: int) -> Sequence[Span]:
        """The spans without a parent of this name that began between two moments."""
        query = {
            "query.service_name": SERVICE,
            "query.operation_name": name,
            "query.start_time_min": _moment(begun),
            "query.start_time_max": _moment(ended),
            "query.num_traces": str(most),
            "query.search_depth": str(most),  # what newer versions call it
        }
        return [span for span in self._asked("/api/v3/traces", query) if not span.parent and span.name == name]

    def _asked(self, path: str, query: dict[str, str]) -> Iterator[Span]:
        try:
            answer = self._http.get(path, params=query)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return
            answer.raise_for_status()
            yield from read(answer.json())
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise JaegerAway(f"Jaeger at {self._address} can't be asked: {error!r}") from None


def read(answer: dict[str, Any]) -> Iterator[Span]:
    """The spans of an answer."""
    for resource in answer.get("result", {}).get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            yield from map(_span, scope.get("spans", []))


def _span(told: dict[str, Any]) -> Span:
    return Span(
        told["traceId"],
        told["spanId"],
        told.get("parentSpanId", ""),
        told["name"],
        int(told["startTimeUnixNano"]),
        int(told["endTimeUnixNano"]),
        {each["key"]: str(next(iter(each["value"].values()), "")) for each in told.get("attributes", [])},
    )


def _moment(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat().replace("+00:00", "Z")
