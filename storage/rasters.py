"""PNG and JPEG images: what their headers say, and their pixels."""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from storage import codecs
from storage.limits import check_size
from storage.unreadable import Unreadable

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_END_OF_JPEG = b"\xff\xd9"
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_PNG_GREY = (0, 4)
_PNG_IMAGE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
"""All that the first image needs: OpenCV 5.0 leaves rows of a damaged animation as they were in memory."""
_NO_FRAME = {0xC4, 0xC8, 0xCC}
MAX_SCANS = 32
"""Passes of a progressive JPEG. Programs write up to a dozen; each takes 0.07 s for 64 megapixels, however short."""
MAX_EXTRA = 1 << 16
"""Bytes of a PNG that cost nothing to look through, even where they unpack to a thousand times as many."""
_MORE = bytes(range(1, 255)) * 16
"""Goes behind a JPEG's pixels, to see whether the decoder asks for more of them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A JPEG's frame header."""

    marker: int
    bits: int
    height: int
    width: int
    samples: int
    end: int
    """Where the header ends."""


def read_png(data: bytes, name: str) -> NDArray[Any]:
    """Pixels of a PNG image, (H, W) or (H, W, 3), checked before they are decoded."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise Unreadable("bad_input", f"{name} is cut short: it ends within the header of a PNG image")
    width, height, bits, kind = struct.unpack_from(">IIBB", data, 16)
    check_size(name, 1, height, width, _PNG_SAMPLES.get(kind, 4), max(1, bits // 8))
    if bits == 1 and kind == 0:
        raise Unreadable("unsupported", f"{name} is a 1-bit image; 8 and 16 bit unsigned images are read")
    chunks = _chunks(data, name)
    _check_unpacked(
        [body[8:-4] for kind, body in chunks if kind == b"IDAT"],
        height * (9 + width * bits * _PNG_SAMPLES.get(kind, 4) // 8),
        name,
    )
    pixels = _unpacked(PNG + b"".join(body for kind, body in chunks if kind in _PNG_IMAGE))
    return pixels[..., 0] if pixels.ndim == 3 and kind in _PNG_GREY else pixels


def _chunks(data: bytes, name: str) -> list[tuple[bytes, memoryview]]:
    """All pieces of a PNG file by their kinds, each with its checksum, up to the one that ends it."""
    at, kind, view, chunks = len(PNG), b"", memoryview(data), []
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body, at = data[at + 4 : at + 8], view[at + 4 : at + 8 + length], at + 12 + length
        if at > len(data):
            raise Unreadable("bad_input", f"{name} is cut short: it ends within a PNG image")
        if zlib.crc32(body) != int.from_bytes(data[at - 4 : at], "big"):
            raise Unreadable("bad_input", f"{name} is damaged: a checksum in it does not fit")
        chunks.append((kind, view[at - 12 - length : at]))
    return chunks


def _check_unpacked(pieces: list[memoryview], size: int, name: str) -> None:
    """A decoder unpacks what follows the last row as well, however much that is: three seconds for each megabyte."""
    if sum(map(len, pieces)) <= MAX_EXTRA:
        return
    try:
        codecs.inflate(b"".join(pieces)[2:], size + MAX_EXTRA)
    except ValueError:
        raise Unreadable("bad_input", f"{name} is damaged: its pixels do not unpack to what its header says") from None


def read_jpeg(data: bytes, name: str) -> NDArray[Any]:
    """Pixels of a JPEG image, (H, W) or (H, W, 3), checked before they are decoded."""
    frame = jpeg_frame(data)
    if frame is None:
        raise Unreadable("bad_input", f"{name} is cut short: it has no header of a JPEG image")
    check_size(name, 1, frame.height, frame.width, frame.samples)
    if frame.bits != 8 or frame.samples not in (1, 3):
        what = f"{frame.samples} colours of {frame.bits} bits"
        raise Unreadable("unsupported", f"{name} is a JPEG image with {what}; grey and RGB with 8 bits are read")
    if data.rfind(_END_OF_JPEG) < frame.end:  # the decoder would fill the rest with grey and say nothing
        raise Unreadable("bad_input", f"{name} is cut short: the end of the JPEG image is missing")
    if data.count(b"\xff\xda", frame.end) > MAX_SCANS:
        raise Unreadable("bad_input", f"{name} is a JPEG image with more than {MAX_SCANS} passes")
    pixels = codecs.jpeg(data)
    if not _is_whole(data, pixels):
        raise Unreadable("bad_input", f"{name} is cut short: it has fewer pixels than its header says")
    return pixels


def _is_whole(data: bytes, pixels: NDArray[Any]) -> bool:
    """Whether a decoder that is given more pixels has no use for them; it fills up with grey and says nothing."""
    end = data.rfind(_END_OF_JPEG)
    return np.array_equal(codecs.jpeg(data[:end] + _MORE + data[end:]), pixels)


def jpeg_frame(data: bytes | memoryview) -> Frame | None:
    """The frame header of a JPEG stream, or none."""
    at = 2
    while at + 10 <= len(data):
        if data[at] != 0xFF:
            return None
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # fill
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            bits, height, width, samples = struct.unpack_from(">BHHB", data, at + 4)
            return Frame(marker, bits, height, width, samples, at + 2 + length)
        elif marker == 0xDA or length < 2:
            return None
        else:
            at += 2 + length
    return None


def _unpacked(data: bytes) -> NDArray[Any]:
    """Pixels of a PNG image, (H, W) or (H, W, 3) without transparency; palettes become colours.

    Not by imagecodecs 2026.3.6: each image that it fails on takes one reference from None, and after some thousands
    the interpreter aborts.
    """
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its pixels do not unpack")
    return pixels if pixels.ndim == 2 else pixels[..., 2::-1]
