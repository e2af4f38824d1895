"""Packing and unpacking of bytes and pixels: the only module that knows imagecodecs (tifffile uses it as well).

Its stubs leave memoryviews out, which it takes.
"""

from typing import Any

import imagecodecs
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


def jpeg(data: bytes) -> NDArray[Any]:
    """Pixels of a JPEG image, (H, W) or (H, W, samples)."""
    return imagecodecs.jpeg8_decode(data)
