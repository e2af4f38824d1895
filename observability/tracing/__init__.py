"""Traces: ids that anyone can derive, spans as plain values, and the way to a collector of OpenTelemetry's protocol."""

from observability.tracing.context import (
    HEADER,
    JOB_ROOT,
    ROOT,
    chosen,
    sampled,
    span_id,
    trace_id,
    traceparent,
)

__all__ = ["HEADER", "JOB_ROOT", "ROOT", "chosen", "sampled", "span_id", "trace_id", "traceparent"]
