"""The shipped weights in ONNX Runtime itself, for all who ask them without a server."""

from typing import Any

import onnxruntime
import pytest

from inference.models import shipped_models


@pytest.fixture(scope="session")
def session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    weights = shipped_models()["nuclei"].folder / "weights.onnx"
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
