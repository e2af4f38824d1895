import asyncio
import http.client
from contextlib import suppress
from typing import Any

import pytest

from loadgen.chaos.faults.store import Busy, FlippedByte, LostAnswer, ShortRead, TornPut
from loadgen.chaos.store_proxy import StoreProxy
from tests.loadgen.chaos.proxied import KEPT, Noticed, Stand, breaks
from tests.servers import S3Server


def test_requests_and_answers_pass_unchanged_over_one_connection() -> None:
    noticed = Noticed()

    async def three_times(stand: Stand) -> None:
        assert await stand.ask() == KEPT
        assert await stand.ask("PUT", b"new", Host="signed:1") == KEPT
        assert await stand.ask("HEAD") == b""
        assert [(method, body) for method, _, body in stand.asked] == [("GET", b""), ("PUT", b"new"), ("HEAD", b"")]
        assert stand.asked[1][1] == "signed:1"

    Stand(noticed).run(three_times)
    assert {request.connection for request in noticed.requests} == {1}
    assert noticed.requests[0].key == "jobs/j/labels/00000/001.tif"


def test_a_request_tells_where_its_ranged_read_begins() -> None:
    noticed = Noticed()

    async def ranged(stand: Stand) -> None:
        await stand.ask(Range="bytes=512-1023")

    Stand(noticed).run(ranged)
    assert noticed.requests[0].start == 512


def test_a_busy_store_answers_with_an_error_and_is_never_asked() -> None:
    async def busy(stand: Stand) -> None:
        assert b"<Code>SlowDown</Code>" in await stand.ask("PUT", b"new")
        assert stand.asked == []
        assert await stand.ask() == KEPT

    Stand(Busy(503, "SlowDown", ("PUT",))).run(busy)


def test_a_short_read_promises_more_than_it_brings_and_the_next_one_is_whole() -> None:
    async def short(stand: Stand) -> None:
        assert await breaks(stand, "GET") is http.client.IncompleteRead
        assert await stand.ask() == KEPT

    Stand(ShortRead(1, lambda request: True)).run(short)


def test_a_flipped_byte_changes_one_bit_of_the_body_alone() -> None:
    async def flipped(stand: Stand) -> None:
        found = await stand.ask()
        assert sum((ours ^ theirs).bit_count() for ours, theirs in zip(found, KEPT, strict=True)) == 1
        assert await stand.ask() == KEPT

    Stand(FlippedByte(1, lambda request: True)).run(flipped)


def test_a_torn_put_never_reaches_the_store_as_a_whole() -> None:
    async def torn(stand: Stand) -> None:
        await breaks(stand, "PUT", b"half of it")
        assert await stand.ask() == KEPT
        assert [method for method, _, _ in stand.asked] == ["GET"]

    Stand(TornPut(1, lambda request: True)).run(torn)


def test_a_lost_answer_is_one_to_something_that_was_done() -> None:
    async def lost(stand: Stand) -> None:
        await breaks(stand, "PUT", b"all of it")
        assert [body for _, _, body in stand.asked] == [b"all of it"]

    Stand(LostAnswer(1, lambda request: True)).run(lost)


def test_a_closed_proxy_refuses_and_an_opened_one_serves_at_the_same_address() -> None:
    async def closed(stand: Stand) -> None:
        assert await stand.ask() == KEPT
        port = stand.proxy.port
        await stand.proxy.close()
        await breaks(stand, "GET")
        assert await breaks(stand, "GET") is ConnectionRefusedError
        await stand.proxy.open()
        assert (stand.proxy.port, await stand.ask()) == (port, KEPT)

    Stand().run(closed)


@pytest.mark.integration
def test_signed_requests_pass_the_proxy_to_the_real_server(s3_server: S3Server) -> None:
    import boto3

    async def whole() -> None:
        proxy = StoreProxy(lambda: s3_server.endpoint)
        await proxy.open()
        client: Any = boto3.client(
            "s3",
            endpoint_url=proxy.address,
            aws_access_key_id=s3_server.access_key,
            aws_secret_access_key=s3_server.secret_key,
            region_name="us-east-1",
        )
        try:
            await asyncio.to_thread(client.put_object, Bucket="monolayer", Key="chaos/a b", Body=b"x" * 70_000)
            listed = await asyncio.to_thread(client.list_objects_v2, Bucket="monolayer", Prefix="chaos/")
            assert [each["Size"] for each in listed["Contents"]] == [70_000]
        finally:
            client.close()
            with suppress(asyncio.CancelledError):
                await proxy.close()

    asyncio.run(whole())
