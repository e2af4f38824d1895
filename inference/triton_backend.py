"""The `model.py` of a Triton entry: ONNX Runtime inside Triton's Python backend.

Copied into the model repository and run by Triton's own interpreter, which knows nothing of Monolayer: it may import
NumPy, ONNX Runtime and what Triton brings, nothing else.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import triton_python_backend_utils as triton  # type: ignore[import-not-found]

INPUTS = ("image", "low", "high")


class TritonPythonModel:
    """One instance: one session with one thread."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the weights that lie beside this file."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        weights = Path(args["model_repository"]) / args["model_version"] / "weights.onnx"
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer every request by itself: one that fails doesn't take others with it."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        try:
            feed = {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in INPUTS}
            begun = time.perf_counter()
            (maps,) = self._session.run(["maps"], feed)
            seconds = np.array([time.perf_counter() - begun], np.float32)
        except Exception as error:
            return triton.InferenceResponse(error=triton.TritonError(f"The model failed: {error}"))
        return triton.InferenceResponse([triton.Tensor("maps", maps), triton.Tensor("seconds", seconds)])
