"""Begin from an exported model instead of from random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx  # type: ignore[import-not-found,import-untyped,unused-ignore]
from numpy.typing import NDArray
from onnx import numpy_helper

Kernel = tuple[NDArray[np.float32], NDArray[np.float32]]


def start_from(network: Any, weights: Path) -> None:
    """Give the convolutions of `network` the kernels and biases of the ONNX graph `weights`, which has the same ones.

    Kernels are matched by shape, those of one shape in the graph's order. Input channels that the graph lacks begin at
    0, so that the network computes what the graph does.

    Raises
    ------
    ValueError
        A layer has no counterpart.
    """
    kernels = _kernels(weights)
    for layer in network.layers:
        if layer.__class__.__name__ == "Conv2D":
            kernel, bias = _take(kernels, layer.kernel.shape, layer.name)
            missing = layer.kernel.shape[2] - kernel.shape[2]
            layer.set_weights([np.pad(kernel, ((0, 0), (0, 0), (0, missing), (0, 0))), bias])


def _kernels(weights: Path) -> list[Kernel]:
    graph = onnx.load(weights).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    convolutions = [node.input for node in graph.node if node.op_type == "Conv"]
    return [(values[kernel].transpose(2, 3, 1, 0), values[bias]) for _, kernel, bias in convolutions]


def _take(kernels: list[Kernel], shape: tuple[int, ...], name: str) -> Kernel:
    height, width, channels, filters = shape
    for place, (kernel, _) in enumerate(kernels):
        if kernel.shape in ((height, width, channels, filters), (height, width, 1, filters)):
            return kernels.pop(place)
    raise ValueError(f"no kernel of shape {shape} is left for {name}: the graph is of another network")
