"""The folder on the user's machine that results go into."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from kiosk.errors import CannotWrite

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Found:
    """What the manifest in a folder says: the cells of each labelled image, and how its overlays were drawn."""

    job: str
    cells: tuple[int, ...]
    reduced: int
    """Images whose overlay is smaller than they are."""
    longest: int
    """Pixels along the longer side of such an overlay."""

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
        reduced = sum("overlay_scale" in image for image in images)
        cells = tuple(int(image["cells"]) for image in images)
        return Found(str(told["job"]["job"]), cells, reduced, int(told.get("overlay_longest_side_px", 0)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
