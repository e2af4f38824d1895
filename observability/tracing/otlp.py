"""Spans to any collector of OpenTelemetry's protocol (OTLP over gRPC), Jaeger for one: the only module that knows it.

Its messages are filled in directly. The SDK would take more than twice the CPU for the same bytes, draws its ids at
random where ours are derived, and keeps spans in a queue that a kill empties.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc.aio  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as wire

from observability import metrics
from observability.logs import log
from observability.tracing.spans import Span, Value

SERVICE = "monolayer"
SECONDS = 1.0
"""For one export. Whoever waits for it has ticks to write."""
REST_SECONDS = 5.0
"""After one that failed nobody tries: what comes meanwhile is dropped at once."""
MOST = 2_000
"""Spans in one request: a receiver takes 4 MB."""
_INTERNAL, _ERROR = wire.Span.SPAN_KIND_INTERNAL, wire.Status.STATUS_CODE_ERROR


class Otlp:
    """A collector at `host:port`; connects at the first export, in that export's event loop."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.dropped = 0
        """Spans that did not arrive, as far as anyone can tell."""
        self._address = address
        self._clock = clock
        self._channel: Any = None
        self._stub: Any = None
        self._rests_until = 0.0

    async def export(self, spans: Sequence[Span]) -> bool:
        """Send them; whether all have arrived. What has not is dropped and counted."""
        if self._clock() < self._rests_until:
            self._drop(len(spans))
            return False
        for first in range(0, len(spans), MOST):
            try:
                await self._connected().Export(request(spans[first : first + MOST]), timeout=SECONDS)
            except grpc.RpcError as error:
                self._give_up(len(spans) - first, error)
                return False
        return True

    async def close(self) -> None:
        """Close the connection."""
        if self._channel is not None:
            channel, self._channel = self._channel, None
            await channel.close()

    def _give_up(self, spans: int, error: Any) -> None:
        self._drop(spans)
        self._rests_until = self._clock() + REST_SECONDS
        log().warning("traces_dropped", address=self._address, spans=self.dropped, error=str(error.code()))

    def _drop(self, spans: int) -> None:
        self.dropped += spans
        metrics.SPANS_DROPPED.inc(spans)

    def _connected(self) -> Any:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._address, options=[("grpc.max_reconnect_backoff_ms", 2000)])
            self._stub = TraceServiceStub(self._channel)  # type: ignore[no-untyped-call]
        return self._stub


def request(spans: Sequence[Span]) -> ExportTraceServiceRequest:
    """The message that tells of these spans."""
    scope = wire.ScopeSpans(spans=[_span(span) for span in spans])
    resource = wire.ResourceSpans(scope_spans=[scope])
    resource.resource.attributes.append(_attribute("service.name", SERVICE))
    return ExportTraceServiceRequest(resource_spans=[resource])


def _span(span: Span) -> wire.Span:
    trace = span.trace.to_bytes(16, "big")
    told = wire.Span(
        trace_id=trace,
        span_id=span.span.to_bytes(8, "big"),
        parent_span_id=span.parent.to_bytes(8, "big") if span.parent else b"",
        name=span.name,
        kind=_INTERNAL,
        start_time_unix_nano=span.begun,
        end_time_unix_nano=span.ended,
        attributes=[_attribute(key, value) for key, value in span.about.items()],
    )
    for link in span.links:
        told.links.add(trace_id=link.trace.to_bytes(16, "big"), span_id=link.span.to_bytes(8, "big"))
    if span.failed:
        told.status.code = _ERROR
    return told


def _attribute(key: str, value: Value) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=value))
