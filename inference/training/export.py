"""From the trained network to one ONNX graph that takes raw pixels and gives 8-bit maps."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx  # type: ignore[import-not-found,import-untyped,unused-ignore]
import onnxruntime  # type: ignore[import-untyped]
import tensorflow as tf  # type: ignore[import-not-found,import-untyped,unused-ignore]
import tf2onnx  # type: ignore[import-not-found,import-untyped,unused-ignore]

from inference.synthetic import field
from inference.training.config import Config
from inference.training.fit import AVERAGE
from inference.training.network import build
from inference.wire import HIGH, IMAGE, LOW, MAPS, tensors

log = logging.getLogger(__name__)

OPSET = 18  # the newest that tf2onnx writes


def export(config: Config, run: Path, folder: Path) -> None:
    """Write `weights.onnx` into `folder` from the averaged weights in the folder `run`, and compare the two.

    The tensors of that comparison stay beside it as `test-*.npy`, which a BioImage.IO description wants.

    Raises
    ------
    RuntimeError
        A map differs by more than one count of 255 between Keras and ONNX Runtime.
    """
    network = build(config)
    network.load_weights(run / AVERAGE)
    function = _graph(network, config.clip)
    signature = [
        tf.TensorSpec((None, None, None), tf.uint8, IMAGE),
        tf.TensorSpec((1,), tf.float32, LOW),
        tf.TensorSpec((1,), tf.float32, HIGH),
    ]
    proto, _external = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    _name_sizes(proto)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, folder / "weights.onnx")
    _compare(function, folder / "weights.onnx")


def _graph(network: Any, clip: float) -> Any:
    """Return the whole computation: bytes -> intensities -> normalised -> logits -> uint8 maps (2, h, w)."""

    @tf.function  # type: ignore[untyped-decorator,unused-ignore]
    def maps(image: Any, low: Any, high: Any) -> Any:
        weights = tf.constant([[1.0], [256.0]])[: tf.shape(image)[2]]
        intensity = tf.squeeze(tf.matmul(tf.cast(image, tf.float32), weights), 2)  # slicing and summing take longer
        normalised = tf.clip_by_value((intensity - low) / (high - low), 0.0, clip)
        logits = network(normalised[None, :, :, None], training=False)
        scaled = tf.round(255.0 * tf.sigmoid(tf.transpose(logits, [0, 3, 1, 2])[0]))
        return tf.identity(tf.cast(scaled, tf.uint8), name=MAPS)

    return maps


def _name_sizes(proto: Any) -> None:
    """Give dynamic sizes their names: exported ones are called unk__N, differently at every export."""
    sizes: dict[str, list[int | str]] = {IMAGE: ["height", "width", "bytes"], MAPS: [2, "height", "width"]}
    output = proto.graph.output[0]
    for node in proto.graph.node:
        node.output[:] = [MAPS if name == output.name else name for name in node.output]
    output.name = MAPS
    for value in [*proto.graph.input, output]:
        for dim, size in zip(value.type.tensor_type.shape.dim, sizes.get(value.name, [1]), strict=True):
            dim.Clear()
            setattr(dim, "dim_value" if isinstance(size, int) else "dim_param", size)
    del proto.graph.value_info[:]


def _compare(function: Any, weights: Path) -> None:
    image, _truth = field((272, 288), 0, 40, np.uint8)
    feed = tensors(image, *(float(bound) for bound in np.percentile(image, (1, 99.8))))
    (found,) = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"]).run([MAPS], feed)
    expected = function(**{name: tf.constant(value) for name, value in feed.items()}).numpy()
    worst = int(np.abs(found.astype(int) - expected.astype(int)).max())
    log.info("%s: %.1f MB, differs from Keras by %d of 255 at most", weights, weights.stat().st_size / 1e6, worst)
    if worst > 1:
        raise RuntimeError(f"{weights} differs from the trained network by {worst} of 255")
    for name, value in {**feed, MAPS: found}.items():
        np.save(weights.with_name(f"test-{name}.npy"), value)
