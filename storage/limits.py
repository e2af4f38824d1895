"""How large one image may be: its file, and what its header says before anything is decoded."""

from storage.unreadable import Unreadable

MAX_PIXELS = 64 << 20
"""Planes x height x width."""
MAX_FILE = 600_000_000
"""Bytes of an image's file, unpacked."""
MAX_PAGES = 10_000
MAX_DECODED = 8 * MAX_PIXELS
"""Bytes that one page may take decoded, all its samples together."""


def check_size(name: str, planes: int, height: int, width: int, samples: int = 1, itemsize: int = 1) -> None:
    """Raise `Unreadable` for an image without pixels or with more than 64 megapixels.

    Parameters
    ----------
    name
        What the image is called in sentences.
    planes, height, width
        Of the channel that is read.
    samples, itemsize
        Values per pixel that have to be decoded together, and bytes of each.
    """
    if min(planes, height, width, samples) < 1:
        raise Unreadable("bad_input", f"{name} has no pixels: its header says {width} x {height}")
    shape = f"{planes} x {height} x {width}" if planes > 1 else f"{height} x {width}"
    if planes * height * width > MAX_PIXELS or height * width * samples * itemsize > MAX_DECODED:
        raise Unreadable("too_large", f"{name} has {shape} pixels; up to {MAX_PIXELS >> 20} megapixels are read")
