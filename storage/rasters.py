"""PNG and JPEG images: what their headers say, and their pixels."""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from storage import codecs
from storage.limits import check_size
from storage.unreadable import Unreadable

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_END_OF_JPEG = b"\xff\xd9"
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_PNG_GREY = (0, 4)
_NO_FRAME = {0xC4, 0xC8, 0xCC}
MAX_SCANS = 200
"""Passes of a progressive JPEG; more would only cost time."""


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
    _check_chunks(data, name)
    pixels = codecs.png(data)
    return pixels[..., 0] if pixels.ndim == 3 and kind in _PNG_GREY else pixels


def _check_chunks(data: bytes, name: str) -> None:
    """All pieces of a PNG file are there, each with its checksum, up to the one that ends it."""
    at, kind, view = len(PNG), b"", memoryview(data)
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body, at = data[at + 4 : at + 8], view[at + 4 : at + 8 + length], at + 12 + length
        if at > len(data):
            raise Unreadable("bad_input", f"{name} is cut short: it ends within a PNG image")
        if zlib.crc32(body) != int.from_bytes(data[at - 4 : at], "big"):
            raise Unreadable("bad_input", f"{name} is damaged: a checksum in it does not fit")


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
    return codecs.jpeg(data)


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
