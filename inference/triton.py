"""Asking Triton for a tile's maps. Two exceptions carry the whole failure policy: not now, and never."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import aio  # type: ignore[import-untyped]
from tritonclient.grpc.aio import InferInput  # type: ignore[import-untyped]
from tritonclient.utils import InferenceServerException  # type: ignore[import-untyped]

from inference.models import Model
from inference.wire import MAPS, SECONDS, tensors

CANARIES = 4
"""Small inferences at once that tell whether a model works: one alone is always given to the same of its processes, and
a dead one beside it would be met by the next images."""
_NEVER = ("INVALID_ARGUMENT", "UNIMPLEMENTED", "OUT_OF_RANGE", "FAILED_PRECONDITION")
_DEAD_STUB = ("Stub process", "not healthy")
_SOON_BACK = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),  # the default of two minutes outlasts most outages
    ("grpc.lb_policy_name", "round_robin"),  # over all servers that the address names; one is the usual case
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]
_TRITON_TYPES = {np.dtype(np.uint8): "UINT8", np.dtype(np.float32): "FP32"}


Took = Callable[[float], None]


class ModelUnavailable(Exception):
    """Triton or the model can't be reached: try again."""


class ModelSlow(ModelUnavailable):
    """No answer in time: the server hangs, or only this request does. A small inference tells which."""


class ModelDead(ModelUnavailable):
    """A process of the model has died. Others of it may answer; the server starts none anew."""


class ModelFailed(Exception):
    """The model refuses the request: never succeeds."""


class ModelStumbled(Exception):
    """An error of the server's own, or nonsense: perhaps the model's, perhaps the moment's. Worth a few attempts."""


class Triton:
    """A client of one Triton server; opens its connection at the first request, in the event loop of that request.

    Parameters
    ----------
    address
        `host:port` of Triton's gRPC endpoint.
    timeout
        Seconds for one inference: a stopped server is noticed by nothing else. The largest tile takes a second.
    """

    def __init__(self, address: str, *, timeout: float = 30.0) -> None:
        self._address = address
        self._timeout = timeout
        self._connection: Any = None

    async def infer(
        self,
        model: Model,
        tile: NDArray[np.uint8] | NDArray[np.uint16],
        low: float,
        high: float,
        took: Took = lambda seconds: None,
    ) -> NDArray[np.uint8]:
        """Return the maps (2, h, w) of one tile (h, w), whose sides are multiples of the model's stride.

        `took` hears for how many seconds the model computed, where the server tells: ours on the CPU does, the official
        ONNX backend can't for a single request.

        Raises
        ------
        ModelUnavailable
            Nobody answers, or the model's process is gone: try again.
        ModelSlow
            No answer in time.
        ModelFailed
            The model refuses this tile.
        ModelStumbled
            An error inside the server, of the model or of the moment; an answer of a wrong name, shape or type.
        """
        return await self._ask(model, tile, low, high, self._timeout, took)

    async def ready(self, model: Model, timeout: float = 5.0) -> bool:
        """Return whether the model answers real, small inferences in time: Triton calls a dead model ready."""
        try:
            await self.check(model, CANARIES, timeout)
        except (ModelUnavailable, ModelFailed, ModelStumbled):
            return False
        return True

    async def check(self, model: Model, at_once: int, timeout: float = 5.0) -> None:
        """Do so many small inferences at once; raises `ModelDead` if one says so, else what `infer` raises."""
        tile = np.zeros((model.stride, model.stride), np.uint8)
        asked = (self._ask(model, tile, 0.0, 1.0, timeout) for _ in range(at_once))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        errors = [each for each in answers if isinstance(each, BaseException)]
        if errors:
            raise next((each for each in errors if isinstance(each, ModelDead)), errors[0])

    async def _ask(
        self,
        model: Model,
        tile: NDArray[np.uint8] | NDArray[np.uint16],
        low: float,
        high: float,
        timeout: float,
        took: Took = lambda seconds: None,
    ) -> NDArray[np.uint8]:
        inputs = [_input(name, value) for name, value in tensors(tile, low, high).items()]
        try:
            result = await self._client().infer(model.name, inputs, model.version, client_timeout=timeout)
        except InferenceServerException as error:
            raise _judged(error, model, self._address) from error
        maps = _checked(_output(result, MAPS), (2, *tile.shape), model)
        seconds = _output(result, SECONDS)
        if seconds is not None and seconds.size == 1:
            took(float(seconds[0]))
        return maps

    async def close(self) -> None:
        """Close the connection; a later request opens a new one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    def _client(self) -> Any:
        if self._connection is None:
            self._connection = aio.InferenceServerClient(self._address, channel_args=_SOON_BACK)
        return self._connection


def _input(name: str, value: NDArray[Any]) -> Any:
    tensor = InferInput(name, list(value.shape), _TRITON_TYPES[value.dtype])
    tensor.set_data_from_numpy(value)
    return tensor


def _judged(
    error: InferenceServerException, model: Model, address: str
) -> ModelUnavailable | ModelFailed | ModelStumbled:
    status, message = str(error.status() or ""), str(error.message())
    said = f"{status or 'no status'}: {message}"
    which = f"Model {model.name} version {model.version} at {address}"
    if "DEADLINE_EXCEEDED" in status:
        return ModelSlow(f"{which} did not answer in time")
    if any(words in message for words in _DEAD_STUB):
        return ModelDead(f"{which} doesn't answer: {said}")
    if any(name in status for name in _NEVER):
        return ModelFailed(f"{which} failed: {said}")
    if "INTERNAL" in status:
        return ModelStumbled(f"{which} failed: {said}")
    return ModelUnavailable(f"{which} doesn't answer: {said}")


def _output(result: Any, name: str) -> NDArray[Any] | None:
    try:
        values: NDArray[Any] | None = result.as_numpy(name)
    except (AttributeError, ValueError, TypeError):  # an answer without a body, or with another's
        return None
    return values


def _checked(maps: NDArray[Any] | None, shape: tuple[int, ...], model: Model) -> NDArray[np.uint8]:
    """Triton reports success for outputs that are missing, empty or of a wrong shape: look. It may be the moment's."""
    if maps is None:
        raise ModelStumbled(f"Model {model.name} returned no output {MAPS!r}.")
    if maps.shape != shape or maps.dtype != np.uint8:
        raise ModelStumbled(f"Model {model.name} returned {maps.dtype} of shape {maps.shape}, not uint8 of {shape}.")
    return maps
