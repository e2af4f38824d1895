"""Packing and unpacking of bytes and pixels: the only module that knows imagecodecs (tifffile uses it as well).

Its stubs leave memoryviews out, which it takes.
"""

from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray


def inflate(data: bytes | memoryview, size: int) -> bytes:
    """Unpack a raw deflate stream of at most `size` bytes; raises `ValueError` where it is broken or longer."""
    try:
        return bytes(imagecodecs.deflate_decode(data, raw=True, out=size)) if size else b""  # type: ignore[arg-type]
    except imagecodecs.DeflateError as error:
        raise ValueError(str(error)) from None


def zstd(data: bytes | memoryview, level: int = 1) -> bytes:
    """Pack with zstd; the same bytes give the same bytes."""
    return bytes(imagecodecs.zstd_encode(data, level=level))  # type: ignore[arg-type]


def unzstd(data: bytes | memoryview, size: int) -> bytes:
    """Unpack a zstd frame of `size` bytes."""
    return bytes(imagecodecs.zstd_decode(data, out=size))  # type: ignore[arg-type]


def png(data: bytes) -> NDArray[Any]:
    """Pixels of a PNG image, (H, W) or (H, W, 3) without transparency; palettes become colours.

    Not by imagecodecs 2026.3.6: each image that it fails on takes one reference from None, and after some thousands
    the interpreter aborts.
    """
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its pixels do not unpack")
    return pixels if pixels.ndim == 2 else pixels[..., 2::-1]


def jpeg(data: bytes) -> NDArray[Any]:
    """Pixels of a JPEG image, (H, W) or (H, W, samples)."""
    return imagecodecs.jpeg8_decode(data)
