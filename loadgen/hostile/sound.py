"""Sound images and archives: what hostile ones are made from, and what lies beside them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

Pixels = NDArray[Any]
PNG = b"\x89PNG\r\n\x1a\n"


def pixels(height: int = 64, width: int = 48, dtype: str = "uint16", seed: int = 0) -> Pixels:
    """Noise (height, width)."""
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width), dtype)


def noise(seed: int, length: int) -> bytes:
    """Bytes that mean nothing."""
    return np.random.default_rng(seed).bytes(length)


def tiff(image: Pixels | None = None, **options: Any) -> bytes:
    """A TIFF file; the options are tifffile's."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels() if image is None else image, **options)
    return file.getvalue()


def png(image: Pixels | None = None) -> bytes:
    """A PNG file of an image (H, W), or (H, W, 3) in red, green and blue; uint8 or uint16."""
    image = pixels() if image is None else image
    colour = {2: 0, 3: 2, 4: 6}[image.ndim if image.ndim == 2 else image.shape[2]]
    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in image)
    header = png_header(image.shape[1], image.shape[0], 8 * image.dtype.itemsize, colour)
    return PNG + header + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND")


def png_header(width: int, height: int, bits: int, colour: int, interlaced: bool = False) -> bytes:
    """The first chunk of a PNG file; colour 0 is grey, 2 RGB, 3 a palette, 4 grey with alpha, 6 RGBA."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def jpeg(image: Pixels | None = None, *options: int) -> bytes:
    """A JPEG file of an image (H, W) or (H, W, 3), uint8; the options are OpenCV's."""
    _, data = cv2.imencode(".jpg", pixels(dtype="uint8") if image is None else image, list(options))
    return data.tobytes()


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive; `good.tif` is stored, the others as asked for."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_STORED if name == "good.tif" else method
            packed.writestr(member, data)
    return file.getvalue()


def changed(data: bytes, change: Callable[[bytearray], None]) -> bytes:
    """A copy with a change."""
    copy = bytearray(data)
    change(copy)
    return bytes(copy)


def flipped(data: bytes, seed: int, bits: int, start: int = 0) -> bytes:
    """A copy in which so many bits, at random from a start on, are the other way round."""
    copy, rng = bytearray(data), np.random.default_rng(seed)
    for at in rng.integers(start, len(copy), bits):
        copy[at] ^= 1 << int(rng.integers(8))
    return bytes(copy)
