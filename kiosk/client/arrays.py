"""Arrays as files that can be sent: NumPy's and tifffile's only place in the client's way out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kiosk.client.extras import needed
from kiosk.errors import CannotSend

Array = Any
"""What NumPy can make an array of: (height, width), or (planes, height, width); uint8 or uint16."""
Arrays = Array | Sequence[Array] | Mapping[str, Array]
KINDS = ("uint8", "uint16")


def are_arrays(images: object) -> bool:
    """Whether these are arrays, and not paths."""
    some = next(iter(images.values()), None) if isinstance(images, Mapping) else images
    if isinstance(some, list | tuple):
        some = next(iter(some), None)
    return hasattr(some, "__array__")


def write(images: Arrays, folder: Path) -> None:
    """Write each array as a TIFF file into an empty folder.

    Parameters
    ----------
    images
        One array, several, or several by name. (H, W) or (P, H, W), uint8 or uint16.
    folder
        Without names the files are `image_0000.tif` and on.

    Raises
    ------
    CannotSend
        An array has another shape or kind.
    """
    numpy, tifffile = needed("numpy"), needed("tifffile")
    for name, image in _named(images).items():
        array = numpy.asarray(image)
        _check(name, array)
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CannotSend(f"{name} is no name of a file.")
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, array, photometric="minisblack")


def _named(images: Arrays) -> Mapping[str, Array]:
    if isinstance(images, Mapping):
        return {
            name if Path(name).suffix.lower() in (".tif", ".tiff") else f"{name}.tif": each
            for name, each in images.items()
        }
    several = images if isinstance(images, list | tuple) else [images]
    return {f"image_{number:04d}.tif": image for number, image in enumerate(several)}


def _check(name: str, array: Array) -> None:
    if array.dtype.name not in KINDS:
        raise CannotSend(f"{name} is {array.dtype.name}; convert it to {' or '.join(KINDS)}.")
    if array.ndim not in (2, 3) or not array.size:
        shape = " x ".join(map(str, array.shape))
        raise CannotSend(f"{name} is {shape}; it must be height x width, or planes x height x width.")
