import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import onnxruntime
import pytest
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)
from tritonclient.utils import InferenceServerException

from inference.models import Model, shipped_models
from inference.synthetic import field
from inference.triton import ModelFailed, ModelSlow, ModelStumbled, ModelUnavailable, Triton
from inference.wire import tensors

NUCLEI = shipped_models()["nuclei"]
TILE = field((96, 64), 0, 5)[0]


def _ask(address: str, what: Callable[[Triton], Awaitable[Any]], timeout: float = 60.0) -> Any:
    async def scene() -> Any:
        triton = Triton(address, timeout=timeout)
        try:
            return await what(triton)
        finally:
            await triton.close()

    return asyncio.run(scene())


class _Answer:
    def __init__(self, maps: Any) -> None:
        self._maps = maps

    def as_numpy(self, name: str) -> Any:
        return self._maps if name == "maps" else None


class _Connection:
    """Stands where the gRPC connection would be, and answers as it is told."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.timeouts: list[float] = []

    async def infer(self, *_: Any, client_timeout: float) -> Any:
        self.timeouts.append(client_timeout)
        if isinstance(self._answer, Exception):
            raise self._answer
        return _Answer(self._answer)

    async def close(self) -> None:
        pass


def _told(answer: Any, model: Model = NUCLEI) -> Any:
    triton = Triton("nowhere:1", timeout=7.0)
    triton._connection = connection = _Connection(answer)
    maps = asyncio.run(triton.infer(model, TILE, 0.0, 1.0))
    assert connection.timeouts == [7.0]
    return maps


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses"),
        ("StatusCode.UNAVAILABLE", "Exceeds maximum queue size"),
        ("StatusCode.INTERNAL", "Failed to process the request(s), message: Stub process 'nuclei_0_0' is not healthy."),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'nuclei' is not found"),
        (None, "the connection was closed"),
    ],
)
def test_what_may_pass_is_unavailable(status: str | None, message: str) -> None:
    with pytest.raises(ModelUnavailable, match="doesn't answer"):
        _told(InferenceServerException(message, status))


def test_what_never_passes_is_a_failure() -> None:
    with pytest.raises(ModelFailed, match="Model nuclei version 1 at nowhere:1 failed"):
        _told(InferenceServerException("unexpected shape for input 'image'", "StatusCode.INVALID_ARGUMENT"))


def test_an_error_inside_the_server_is_worth_a_few_attempts() -> None:
    with pytest.raises(ModelStumbled, match="Model nuclei version 1 at nowhere:1 failed"):
        _told(InferenceServerException("The model failed: no memory", "StatusCode.INTERNAL"))


@pytest.mark.parametrize(
    "maps",
    [
        None,
        np.zeros((2, 96, 63), np.uint8),
        np.zeros((1, 2, 96, 64), np.uint8),
        np.zeros((2, 96, 64), np.float32),
        np.zeros(0, np.uint8),
    ],
)
def test_an_answer_of_a_wrong_name_shape_or_type_is_worth_another_try(maps: Any) -> None:
    with pytest.raises(ModelStumbled, match="returned"):
        _told(maps)


def test_a_right_answer_is_passed_on() -> None:
    maps = np.ones((2, 96, 64), np.uint8)
    assert _told(maps) is maps


def test_nobody_listening_is_unavailable_and_not_ready() -> None:
    with pytest.raises(ModelUnavailable):
        _ask("127.0.0.1:9", lambda triton: triton.infer(NUCLEI, TILE, 0.0, 1.0), timeout=5)
    assert not _ask("127.0.0.1:9", lambda triton: triton.ready(NUCLEI), timeout=5)


def test_all_servers_that_an_address_names_are_given_work() -> None:
    asked: set[str] = set()

    class Server(GRPCInferenceServiceServicer):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            self._name = name

        async def ModelInfer(self, request: Any, context: Any) -> None:  # noqa: N802  # as the protocol calls it
            asked.add(self._name)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not a real one")

    async def scene() -> None:
        servers = {name: grpc.aio.server() for name in "ab"}
        ports = [server.add_insecure_port("127.0.0.1:0") for server in servers.values()]
        for name, server in servers.items():
            add_GRPCInferenceServiceServicer_to_server(Server(name), server)
            await server.start()
        triton = Triton("ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports), timeout=10)
        try:
            while asked < servers.keys():
                with pytest.raises(ModelUnavailable):
                    await triton.infer(NUCLEI, TILE, 0.0, 1.0)
        finally:
            await triton.close()
            await asyncio.gather(*(server.stop(None) for server in servers.values()))

    asyncio.run(asyncio.wait_for(scene(), 20))


@pytest.mark.integration
def test_the_server_on_the_cpu_tells_how_long_the_model_computed(triton_address: str) -> None:
    tile, computed = np.zeros((512, 512), np.uint8), list[float]()
    begun = time.perf_counter()
    _ask(triton_address, lambda triton: triton.infer(NUCLEI, tile, 0.0, 1.0, computed.append))
    [seconds] = computed
    assert 0.001 < seconds < time.perf_counter() - begun


@pytest.mark.integration
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_triton_gives_the_same_bytes_as_the_model_in_this_process(
    triton_address: str, dtype: type[np.uint8 | np.uint16]
) -> None:
    tile, _ = field((176, 208), 1, 25, dtype)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(NUCLEI.folder / "weights.onnx"), options)
    (expected,) = session.run(None, tensors(tile, 100.0, 180.0))
    found = _ask(triton_address, lambda triton: triton.infer(NUCLEI, tile, 100.0, 180.0))
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1  # another release of ONNX Runtime may round
    assert found.std() > 0


@pytest.mark.integration
def test_the_shipped_model_is_ready_and_one_that_isnt_there_is_not(triton_address: str) -> None:
    absent = replace(NUCLEI, name="absent")
    assert _ask(triton_address, lambda triton: triton.ready(NUCLEI))
    assert not _ask(triton_address, lambda triton: triton.ready(absent))
    with pytest.raises(ModelUnavailable, match="absent"):
        _ask(triton_address, lambda triton: triton.infer(absent, TILE, 0.0, 1.0))


@pytest.mark.integration
def test_a_tile_that_the_network_cant_take_is_said_to_have_failed(triton_address: str) -> None:
    with pytest.raises(ModelStumbled):
        _ask(triton_address, lambda triton: triton.infer(NUCLEI, TILE[:50], 0.0, 1.0))


@pytest.mark.integration
def test_a_deadline_that_passes_is_unavailable(triton_address: str) -> None:
    large, _ = field((1024, 1024), 1, 10)
    with pytest.raises(ModelSlow, match="in time"):
        _ask(triton_address, lambda triton: triton.infer(NUCLEI, large, 0.0, 1.0), timeout=0.02)


@pytest.mark.integration
def test_several_tiles_at_once_are_answered_each_with_its_own(triton_address: str) -> None:
    tiles = [field((64 + 16 * n, 96), n, 8)[0] for n in range(6)]

    async def all_of(triton: Triton) -> Any:
        return await asyncio.gather(*(triton.infer(NUCLEI, tile, 100.0, 3000.0) for tile in tiles))

    for tile, maps in zip(tiles, _ask(triton_address, all_of), strict=True):
        assert maps.shape == (2, *tile.shape)
