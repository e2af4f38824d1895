"""A small residual feature pyramid network for nuclei.

A ResNet-style encoder (He et al. 2016, https://doi.org/10.1109/CVPR.2016.90) under a feature pyramid (Lin et al. 2017,
https://doi.org/10.1109/CVPR.2017.106). It works at strides 2 to 16 only: nuclei of about 24 px don't need more, and
the coarsest stride decides how wide a tile's halo must be. Convolutions have a bias and no batch normalisation: on a
CPU that halves the time of a training step, and it lets training go on from weights whose normalisation was folded in.
"""

import math
from typing import Any

import keras  # type: ignore[import-not-found,import-untyped,unused-ignore]
import tensorflow as tf  # type: ignore[import-not-found,import-untyped,unused-ignore]
from keras import layers  # type: ignore[import-not-found,import-untyped,unused-ignore]

from inference.training.config import Config

STRETCH = 30.0  # how far the logarithm lifts what is dim: the slope at 0 becomes 8.7


@keras.saving.register_keras_serializable("inference")
class Enlarge(layers.Layer):  # type: ignore[misc]
    """Doubles height and width bilinearly; unlike `UpSampling2D` it exports with dynamic shapes."""

    def call(self, x: Any) -> Any:
        """Return (n, 2h, 2w, c) for `x` of (n, h, w, c)."""
        size = tf.shape(x)[1:3] * 2
        y = tf.cast(tf.image.resize(x, size), x.dtype)
        y.set_shape([None, None, None, x.shape[-1]])
        return y


@keras.saving.register_keras_serializable("inference")
class Stretch(layers.Layer):  # type: ignore[misc]
    """Adds the intensities' logarithm as a second channel, in which dim nuclei beside bright ones keep their shape."""

    def call(self, x: Any) -> Any:
        """Return (n, h, w, 2) for `x` of (n, h, w, 1), at least 0."""
        logarithm = tf.math.log(1.0 + x * STRETCH) / math.log1p(STRETCH)  # ONNX has no log1p
        return tf.concat([x, logarithm], -1)


def build(config: Config) -> keras.Model:
    """Return the network: float32 (n, h, w, 1) normalised intensities -> (n, h, w, 2) logits (distance, foreground).

    h and w are multiples of 16.
    """
    image = keras.Input((None, None, 1), name="normalised")
    x = _conv(Stretch(dtype="float32")(image), config.widths[0], size=5, stride=2)
    levels = [_residual(x, config.widths[0])]
    for width in config.widths[1:]:
        levels.append(_residual(_conv(levels[-1], width, stride=2), width))
    y = _conv(levels[-1], config.pyramid, size=1)
    for level in reversed(levels[1:-1]):
        y = _conv(layers.Add()([Enlarge()(y), _conv(level, config.pyramid, size=1)]), config.pyramid)
    y = Enlarge()(_conv(y, config.head, size=1))
    y = _conv(layers.Add()([y, _conv(levels[0], config.head, size=1)]), config.head)
    logits = layers.Conv2D(2, 1, name="logits", dtype="float32")(y)
    return keras.Model(image, Enlarge(dtype="float32")(logits))


def _conv(x: Any, width: int, *, size: int = 3, stride: int = 1, active: bool = True) -> Any:
    x = layers.Conv2D(width, size, strides=stride, padding="same", kernel_initializer="he_normal")(x)
    return layers.ReLU()(x) if active else x


def _residual(x: Any, width: int) -> Any:
    y = _conv(_conv(x, width), width, active=False)
    return layers.ReLU()(layers.Add()([x, y]))
