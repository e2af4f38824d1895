"""Stands between the stages and Triton, and does to their inferences what a rule says."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import grpc  # type: ignore[import-untyped]

from kiosk.local.ports import other

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),
    ("grpc.max_reconnect_backoff_ms", 500),
)
_SECONDS = 120.0

Ask = Callable[[], Awaitable[bytes]]
"""Asks Triton and returns its answer's bytes."""
Rule = Callable[[Ask], Awaitable[bytes]]
"""Returns an answer: Triton's, another one, or none for ever."""


class Refused(Exception):
    """Answer with a gRPC status; `status` is its name, such as ``UNAVAILABLE``."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


async def honest(ask: Ask) -> bytes:
    """Pass Triton's answer on."""
    return await ask()


class ModelProxy:
    """A gRPC server on 127.0.0.1 that passes unary calls on without reading them.

    Parameters
    ----------
    server
        Returns ``host:port`` of Triton; asked at the first call, as it may not be there yet.
    """

    def __init__(self, server: Callable[[], str]) -> None:
        self.rule: Rule = honest
        self.port = 0
        self._server = server
        self._channel: Any = None
        self._listening: Any = None

    @property
    def address(self) -> str:
        """What the stages are given."""
        return f"127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen: on any port that no outgoing connection is given at first, later on the same one."""
        self._listening = grpc.aio.server(options=_OPTIONS)
        self._listening.add_generic_rpc_handlers((_Handler(self._call),))
        self.port = self._listening.add_insecure_port(f"127.0.0.1:{self.port or other(set())}")
        await self._listening.start()

    async def close(self) -> None:
        """Refuse connections, and cut those there are."""
        await self._listening.stop(None)

    async def end(self) -> None:
        """Close for good."""
        await self.close()
        if self._channel:
            await self._channel.close()

    async def _call(self, method: str, request: bytes, context: Any) -> bytes:
        try:
            return await self.rule(partial(self._ask, method, request))
        except Refused as why:
            await context.abort(grpc.StatusCode[why.status], str(why))
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details())
        raise AssertionError("abort always raises")

    async def _ask(self, method: str, request: bytes) -> bytes:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._server(), options=_OPTIONS)
        answer: bytes = await self._channel.unary_unary(method)(request, timeout=_SECONDS)
        return answer


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, call: Callable[[str, bytes, Any], Awaitable[bytes]]) -> None:
        self._call = call

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(partial(self._call, details.method))


def misshapen(answer: bytes) -> bytes:
    """The same inference's answer with its largest output of half its rows."""
    from tritonclient.grpc import service_pb2  # type: ignore[import-untyped]

    response = service_pb2.ModelInferResponse.FromString(answer)
    largest = max(range(len(response.outputs)), key=lambda index: len(response.raw_output_contents[index]))
    raw = response.raw_output_contents[largest]
    response.outputs[largest].shape[1] //= 2
    response.raw_output_contents[largest] = raw[: len(raw) // 2]
    changed: bytes = response.SerializeToString()
    return changed
