"""W3C trace context: one trace per image and round, its id derived so that every retry lands in the same trace."""

import hashlib

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
_spans = RandomIdGenerator()
_propagator = TraceContextTextMapPropagator()


def trace_id(job: str, image: int | None = None, round_: int = 0) -> int:
    """The id of a job's trace, or of one image's in one round: 128 bits that anyone can derive again."""
    name = job if image is None else f"{job}/{image}/{round_}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "big")


def traceparent(job: str, image: int | None = None, round_: int = 0) -> str:
    """The header that a new span of this trace sends on; see https://www.w3.org/TR/trace-context/."""
    context = trace.SpanContext(
        trace_id(job, image, round_), _spans.generate_span_id(), is_remote=False, trace_flags=trace.TraceFlags(1)
    )
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(trace.NonRecordingSpan(context)))
    return carrier[HEADER]
