"""One real microscopy image with its truth, from a registry package, for the demo and the tests.

`img2d.tif` of the StarDist package (BSD-3-Clause, Schmidt, Weigert et al.): nuclei in fluorescence, 512 x 512 px, a
crop of an image of BBBC038v1 (CC0). Only the package's files are unpacked; nothing of it is run.
"""

import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from kiosk.local.cache import LocalError, once

VERSION = "0.9.2"
_BYTES = 20_000_000


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
    folder = once(cache / f"stardist-{VERSION}", _download, _BYTES) / "stardist" / "data" / "images"
    return Sample(folder / "img2d.tif", folder / "mask2d.tif")


def _download(folder: Path) -> None:
    with as_file(files(__package__).joinpath("samples.lock")) as lock:
        uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "-q", "--python", sys.executable]
        argv = [*uv, "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(lock)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1].strip()
        raise LocalError(f"The demo's real image could not be downloaded (3 MB, a network is needed): {last}")
