"""Archives to load a Monolayer with: seeded synthetic fields of known truth."""

import io
import zipfile
from pathlib import Path

import tifffile

from inference.synthetic import field


def write_archive(path: Path, images: int, side: int = 1024, cells: int = 300, first_seed: int = 0) -> None:
    """Write a stored zip of distinct fluorescence fields of `side` x `side` px, uint16, about `cells` nuclei each."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(images):
            image, _ = field((side, side), seed=first_seed + number, n_cells=cells)
            file = io.BytesIO()
            tifffile.imwrite(file, image)
            archive.writestr(f"field_{number:05d}.tif", file.getvalue())
