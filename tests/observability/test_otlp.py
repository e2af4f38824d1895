"""Spans on their way to a collector: what arrives is what was told, and one that is away holds nobody up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from observability.tracing import chosen, trace_id
from observability.tracing.otlp import MOST, Otlp
from observability.tracing.spans import Link, Span

SPAN = Span(5, 7, 6, "fetch", 10, 20, {"job": "j", "image": 3, "share": 0.5, "again": True}, [Link(8, 9)], True)


class Collector(TraceServiceServicer):
    def __init__(self) -> None:
        self.requests: list[service.ExportTraceServiceRequest] = []

    async def Export(self, request: service.ExportTraceServiceRequest, context: object) -> object:  # noqa: N802
        self.requests.append(request)
        return service.ExportTraceServiceResponse()


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[str, Collector]]:
    collector, server = Collector(), grpc.aio.server()
    add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}", collector
    finally:
        await server.stop(None)


def test_a_span_arrives_as_it_was_told() -> None:
    async def scene() -> list[service.ExportTraceServiceRequest]:
        async with collecting() as (address, collector):
            exporter = Otlp(address)
            assert await exporter.export([SPAN])
            await exporter.close()
            return collector.requests

    [request] = asyncio.run(scene())
    [resource] = request.resource_spans
    [span] = resource.scope_spans[0].spans
    assert resource.resource.attributes[0].value.string_value == "monolayer"
    assert (span.trace_id, span.span_id, span.parent_span_id) == (
        bytes(15) + b"\5",
        bytes(7) + b"\7",
        bytes(7) + b"\6",
    )
    assert (span.name, span.start_time_unix_nano, span.end_time_unix_nano) == ("fetch", 10, 20)
    assert [each.value.WhichOneof("value") for each in span.attributes] == [
        "string_value",
        "int_value",
        "double_value",
        "bool_value",
    ]
    assert span.links[0].span_id == bytes(7) + b"\x09"
    assert span.status.code == 2


def test_many_spans_go_in_several_requests() -> None:
    async def scene() -> list[int]:
        async with collecting() as (address, collector):
            exporter = Otlp(address)
            await exporter.export([SPAN] * (MOST + 1))
            await exporter.close()
            return [len(each.resource_spans[0].scope_spans[0].spans) for each in collector.requests]

    assert asyncio.run(scene()) == [MOST, 1]


def test_a_collector_that_is_away_is_not_asked_again_for_a_while_and_what_it_missed_is_counted() -> None:
    now = 0.0

    async def scene() -> None:
        nonlocal now
        exporter = Otlp("127.0.0.1:9", lambda: now)
        assert not await exporter.export([SPAN, SPAN])
        assert exporter.dropped == 2
        exporter._channel = None  # nothing may be asked now
        exporter._stub = None
        assert not await asyncio.wait_for(exporter.export([SPAN]), 0.1)
        assert exporter.dropped == 3
        assert exporter._channel is None
        async with collecting() as (address, _):
            exporter._address = address
            now = 60.0
            assert await exporter.export([SPAN])
        await exporter.close()

    asyncio.run(scene())


def test_so_many_of_all_traces_are_chosen_and_always_the_same() -> None:
    traces = [trace_id("j", image) for image in range(4000)]
    kept = [trace for trace in traces if chosen(trace, 0.25)]
    assert 800 < len(kept) < 1200
    assert all(chosen(trace, 0.5) for trace in kept)
    assert not any(chosen(trace, 0.0) for trace in traces)
    assert all(chosen(trace, 1.0) for trace in traces)
