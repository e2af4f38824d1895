"""An image file becomes planes of pixels: TIFF of every kind, PNG and JPEG, told apart by their content."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.archives import is_zip
from storage.rasters import JPEG, PNG, read_jpeg, read_png
from storage.tiffs import MAGICS, read_tiff
from storage.unreadable import Reason as Reason
from storage.unreadable import Unreadable as Unreadable

Planes = NDArray[np.uint8] | NDArray[np.uint16]
READ = "TIFF, PNG and JPEG images are read"
_OTHERS = {
    b"GIF8": "a GIF image", b"BM": "a BMP image", b"RIFF": "a WebP image", b"ZISRAWFILE": "a CZI file",
    b"\xda\xce\xbe\n": "an ND2 file", b"\0\0\0\x0cjP  ": "a JPEG 2000 image", b"\x89HDF\r\n": "an HDF5 file",
    b"p\0\0\0": "a LIF file", b"%PDF": "a PDF document", b"\xd0\xcf\x11\xe0": "an OIB or Office file",
    b"\xff\x0a": "a JPEG XL image", b"\xff\x4f\xff\x51": "a JPEG 2000 image",
}  # fmt: skip
"""What people send by mistake, by its first bytes."""


@dataclass(frozen=True, slots=True)
class Image:
    """One channel of an image.

    Attributes
    ----------
    planes
        (P, H, W) uint8 or uint16; P > 1 for time lapses and z stacks. May be read-only.
    pixel_size
        In µm, where the file says it.
    channels
        How many separate channels the file has; colours are not counted.
    names
        What the channels are called, where the file says it.
    """

    planes: Planes
    pixel_size: float | None
    channels: int = 1
    names: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """`uint8` or `uint16`."""
        return self.planes.dtype.name


def read_image(data: bytes, name: str, channel: int | None = None) -> Image:
    """Decode one channel of an image.

    Parameters
    ----------
    data
        The whole file.
    name
        What the image is called in sentences.
    channel
        Counted from 1. None: the first of separate channels; of colours only where all are the same.

    Raises
    ------
    Unreadable
        `bad_input` (broken, no image, no such channel, colours without a choice), `too_large` (over 64 megapixels,
        told from the header), `unsupported` (a sound image of another kind); always with a sentence naming the image.
    """
    try:
        return _read(data, name, channel)
    except Unreadable:
        raise
    except MemoryError:
        raise Unreadable("too_large", f"{name} does not fit into memory") from None
    except Exception as error:  # decoders raise what they like
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Unreadable("bad_input", f"{name} is damaged: it can't be decoded ({detail})") from error


def _read(data: bytes, name: str, channel: int | None) -> Image:
    if data.startswith(MAGICS):
        tiff = read_tiff(data, name, channel)
        pixels = _chosen(tiff.pixels, name, channel) if tiff.colours else tiff.pixels[..., 0]
        return Image(_native(pixels, name), tiff.pixel_size, tiff.channels, tiff.names)
    if data.startswith(PNG):
        return Image(_raster(read_png(data, name), name, channel), None)
    if data.startswith(JPEG):
        return Image(_raster(read_jpeg(data, name), name, channel), None)
    raise _no_image(data, name)


def _raster(pixels: NDArray[Any], name: str, channel: int | None) -> Planes:
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    return _native(_chosen(pixels.reshape(1, *pixels.shape[:2], samples), name, channel), name)


def _chosen(pixels: NDArray[Any], name: str, channel: int | None) -> NDArray[Any]:
    """One of the colours of pixels (P, H, W, samples); transparency is none of them."""
    colours = 3 if pixels.shape[-1] >= 3 else 1
    if channel is not None:
        if channel > colours:
            count = "3 colours" if colours > 1 else "one channel"
            raise Unreadable("bad_input", f"{name} has {count}; channel {channel} was asked for")
        return pixels[..., channel - 1]
    first = pixels[..., 0]
    if any(not np.array_equal(first, pixels[..., other]) for other in range(1, colours)):
        raise Unreadable("bad_input", f"{name} is a colour image; say which channel with --channel 1, 2 or 3")
    return first


def _native(pixels: NDArray[Any], name: str) -> Planes:
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:  # decoded as something else than its header promised
        raise Unreadable("bad_input", f"{name} is damaged: its pixels are {pixels.dtype}; {READ}")
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _no_image(data: bytes, name: str) -> Unreadable:
    if not data:
        return Unreadable("bad_input", f"{name} is empty")
    if is_zip(data):
        return Unreadable("unsupported", f"{name} is an archive where an image was expected; unpack it first")
    for magic, what in _OTHERS.items():
        if data.startswith(magic):
            return Unreadable("unsupported", f"{name} is {what}; {READ}")
    return Unreadable("bad_input", f"{name} is not an image; {READ}")
