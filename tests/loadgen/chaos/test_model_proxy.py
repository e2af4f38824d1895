import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from tritonclient.grpc import service_pb2

from loadgen.chaos.faults.model import garbage, unavailable, wrong_shape
from loadgen.chaos.model_proxy import ModelProxy

METHOD = "/inference.GRPCInferenceService/ModelInfer"


def inferred(height: int = 8, width: int = 4) -> bytes:
    response = service_pb2.ModelInferResponse(model_name="nuclei", raw_output_contents=[b"\1" * 2 * height * width])
    output = response.outputs.add(name="maps", datatype="UINT8")
    output.shape.extend([2, height, width])
    return bytes(response.SerializeToString())


class _Model(grpc.GenericRpcHandler):
    def service(self, details: Any) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            if request == b"bad":
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such model")
            return inferred()

        return grpc.unary_unary_rpc_method_handler(answer) if details.method == METHOD else None


def run(test: Callable[[ModelProxy, Callable[[bytes], Awaitable[bytes]]], Awaitable[None]]) -> None:
    async def whole() -> None:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((_Model(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        proxy = ModelProxy(lambda: f"127.0.0.1:{port}")
        await proxy.open()
        async with grpc.aio.insecure_channel(proxy.address) as channel:
            await test(proxy, channel.unary_unary(METHOD))
        await proxy.end()
        await server.stop(None)

    asyncio.run(whole())


def test_an_inference_and_its_errors_pass_unchanged() -> None:
    async def passes(proxy: ModelProxy, ask: Callable[[bytes], Awaitable[bytes]]) -> None:
        assert await ask(b"image") == inferred()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await ask(b"bad")
        assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "no such model")

    run(passes)


def test_a_wrong_shape_is_a_success_with_half_the_rows() -> None:
    async def misshapen(proxy: ModelProxy, ask: Callable[[bytes], Awaitable[bytes]]) -> None:
        proxy.rule = wrong_shape
        assert await ask(b"image") == inferred(4)

    run(misshapen)


def test_garbage_is_no_answer_that_anyone_could_read() -> None:
    async def junk(proxy: ModelProxy, ask: Callable[[bytes], Awaitable[bytes]]) -> None:
        proxy.rule = garbage
        answer = await ask(b"image")
        with pytest.raises(Exception, match="parsing"):
            service_pb2.ModelInferResponse.FromString(answer)

    run(junk)


def test_unavailable_is_what_a_client_sees_of_a_server_that_is_away() -> None:
    async def away(proxy: ModelProxy, ask: Callable[[bytes], Awaitable[bytes]]) -> None:
        proxy.rule = unavailable
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await ask(b"image")
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE

    run(away)
