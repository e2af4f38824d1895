"""Monolayer's label images in napari: as labels, with what was measured of each cell as features."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tifffile import TiffFile

from storage.labels import TAG, Labels, read_labels

Layer = tuple[Any, dict[str, Any], str]
Paths = str | list[str]


def reader(path: Paths) -> Callable[[Paths], list[Layer]] | None:
    """What napari asks for: how to open a label image, or a folder of results; none for anything else."""
    return open_labels if (files := _files(path)) and all(map(_is_ours, files)) else None


def open_labels(path: Paths) -> list[Layer]:
    """A layer for each label image; cells of stacks have numbers of their own in every plane, so no features."""
    return [_layer(file, read_labels(file.read_bytes())) for file in _files(path)]


def _files(path: Paths) -> list[Path]:
    given = [Path(each) for each in ([path] if isinstance(path, str) else path)]
    return [file for each in given for file in (sorted(each.glob("labels/**/*.tif")) if each.is_dir() else [each])]


def _is_ours(file: Path) -> bool:
    try:
        with TiffFile(file) as tif:
            return TAG in tif.pages.first.tags
    except (OSError, ValueError):  # whatever it is, it is not ours
        return False


def _layer(file: Path, found: Labels) -> Layer:
    planes = found.labels if len(found.labels) > 1 else found.labels[0]
    known: dict[str, Any] = {"name": found.facts.get("image", file.stem)}
    known["metadata"] = {**found.facts, "pixel_size_um": found.pixel_size}  # no scale: most images open without one
    if planes.ndim == 2 and "label" in found.cells:
        known["features"] = {"index": found.cells["label"], **found.cells}
    return planes, known, "labels"
