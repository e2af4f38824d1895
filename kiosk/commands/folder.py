"""The folder on the user's machine that results go into."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from kiosk.errors import CannotWrite

MANIFEST = "manifest.json"
_IN_FILE = "pixel_size_in_file_um"
_ESTIMATED = "estimated_diameter_px"


@dataclass(frozen=True, slots=True)
class Found:
    """What the manifest in a folder says: the cells of each labelled image, and how its overlays were drawn."""

    job: str
    cells: tuple[int, ...]
    reduced: int
    """Images whose overlay is smaller than they are."""
    longest: int
    """Pixels along the longer side of such an overlay."""
    submitted: float | None
    """The pixel size the job was submitted with, in µm."""
    contradicting: tuple[float, ...]
    """What the files say instead, where they say something very different."""
    channel: int | None
    """The channel the job was submitted with."""
    chosen: tuple[tuple[int, int, str], ...]
    """The channel used, how many there were, and what it is called, of each image with several."""
    sizes: tuple[float | None, ...]
    """The pixel size each labelled image was worked on with, in µm; none where it is unknown."""
    estimated: tuple[float, ...]
    """The diameters that were estimated, in pixels, each of an image of which nothing was known."""
    diameter: float | None
    """The diameter the job was submitted with, in pixels."""
    usual: float | None
    """The diameter that the model takes for granted where nothing else is known, in pixels."""

    doubtful: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Images that deserve a look, and why."""

    @property
    def median(self) -> float:
        """Cells in the image in the middle."""
        return statistics.median(self.cells)


def make(folder: Path) -> None:
    """Make the folder and try to write there; raises `CannotWrite`."""
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is a file; --out wants a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotWrite(f"Results can't be written to {folder}: {error.strerror or error}.") from None


def look(folder: Path) -> Found | None:
    """Read the manifest in a folder; none where there is none that makes sense."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        images = [image for image in told["images"] if "cells" in image]
        options = told.get("options", {})
        return Found(
            job=str(told["job"]["job"]),
            cells=tuple(int(image["cells"]) for image in images),
            reduced=sum("overlay_scale" in image for image in images),
            longest=int(told.get("overlay_longest_side_px", 0)),
            submitted=options.get("pixel_size"),
            contradicting=tuple(float(image[_IN_FILE]) for image in images if _IN_FILE in image),
            channel=options.get("channel"),
            chosen=tuple(_chosen(image) for image in images if "channels" in image),
            sizes=tuple(image.get("pixel_size_um") for image in images if _ESTIMATED not in image),
            estimated=tuple(float(image[_ESTIMATED]) for image in images if _ESTIMATED in image),
            diameter=options.get("diameter"),
            usual=told.get("model", {}).get("trained_at_diameter_px"),
            doubtful=tuple((str(image["name"]), tuple(image["flags"])) for image in images if image.get("flags")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _chosen(image: Mapping[str, Any]) -> tuple[int, int, str]:
    return int(image["channel"]), int(image["channels"]), str(image.get("channel_name", ""))
