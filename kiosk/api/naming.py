"""What the files of a job's results are called: after the images, safe on every file system, no two the same."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

LABELS, OVERLAYS, IMAGEJ, QUPATH = "labels", "overlays", "imagej", "qupath"
_ENDINGS = (".tif", ".png", ".zip", ".geojson")
"""Of files that are called after an image."""
_LONGEST = 200
"""Bytes of one part of a path: file systems take 255, and an ending is added."""
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def result_names(images: Iterable[str]) -> list[str]:
    """A path for each image, without an ending: `labels/<path>.tif` and `overlays/<path>.png` are its results.

    It is the image's path in the upload without its extension. Where images differ in nothing else (capital letters
    don't count), they keep it; where that doesn't help either, a number is added.

    >>> result_names(["a/x.tif", "b.tif", "b.PNG", "../c.tif"])
    ['a/x', 'b.tif', 'b.PNG', 'c']
    """
    paths = [safe_path(image) for image in images]
    taken = {folder for path in paths for folder in _folders(path)}
    stems = Counter(_stem(path).casefold() for path in paths)
    alone = {stem for stem, count in stems.items() if count == 1} - taken
    taken |= alone
    return [_stem(path) if _stem(path).casefold() in alone else _free(path, taken) for path in paths]


def overlay_names(name: str, planes: int, names: frozenset[str]) -> list[str]:
    """Where the overlays of an image's planes go: `a.png`, or `a_000.png`, `a_001.png` and so on for a stack.

    `names` are the job's result names in lower case; one of them may be `a_000`, then `a__000.png` is the plane's.
    """
    if planes == 1:
        return [f"{OVERLAYS}/{name}.png"]
    joint = "_"
    while any(f"{name}{joint}{plane:03d}".casefold() in names for plane in range(planes)):
        joint += "_"
    return [f"{OVERLAYS}/{name}{joint}{plane:03d}.png" for plane in range(planes)]


def labels_name(name: str) -> str:
    """Where the labels of an image go."""
    return f"{LABELS}/{name}.tif"


def regions_name(name: str) -> str:
    """Where ImageJ's regions of an image go."""
    return f"{IMAGEJ}/{name}.zip"


def features_name(name: str) -> str:
    """Where QuPath's objects of an image go."""
    return f"{QUPATH}/{name}.geojson"


def safe_path(name: str) -> str:
    """The name as a relative path that stays where it is put, on Linux, macOS and Windows.

    >>> safe_path("C:\\\\plate\\\\..\\\\well: A1.tif")
    'C_/plate/well_ A1.tif'
    """
    parts = [_safe_part(part) for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")]
    return "/".join(part for part in parts if part) or "image"


def _safe_part(part: str) -> str:
    part = re.sub(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]', "_", part).rstrip(". ")
    if _WINDOWS.fullmatch(part):
        part = f"_{part}"
    return _shortened(part)


def _shortened(part: str) -> str:
    if len(part.encode()) <= _LONGEST:
        return part
    stem, dot, extension = part.rpartition(".")
    if not dot or len(extension) > 10:
        stem, extension = part, ""
    room = _LONGEST - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore") + (dot + extension if extension else "")


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _folders(path: str) -> Sequence[str]:
    """Names that an image's labels or overlay can't have, because a folder has them; without their ending."""
    folders = (str(folder).casefold() for folder in PurePosixPath(path).parents)
    return [_stem(folder) for folder in folders if folder.endswith(_ENDINGS)]


def _free(path: str, taken: set[str]) -> str:
    name, number = path, 2
    while name.casefold() in taken:
        name, number = f"{path}-{number}", number + 1
    taken.add(name.casefold())
    return name
