"""What a submission sends: each zip as it is, and all other files as one, packed while they are sent."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.errors import CannotSend
from kiosk.zips import File, files_as_zip, zip_size

LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "icon\r"})
"""What operating systems leave in folders, in lower case."""
NO_IMAGES = frozenset(
    {
        ".avi", ".bak", ".bat", ".c", ".cfg", ".conf", ".cppipe", ".cpproj", ".css", ".csv", ".db", ".doc", ".docx",
        ".exe", ".htm", ".html", ".ijm", ".ini", ".ipynb", ".java", ".js", ".json", ".jsonl", ".log", ".m", ".mat",
        ".md", ".md5", ".mov", ".mp4", ".npy", ".npz", ".odp", ".ods", ".odt", ".parquet", ".pdf", ".pickle", ".pkl",
        ".pptx", ".ppt", ".ps1", ".py", ".r", ".rdata", ".rmd", ".roi", ".rtf", ".sh", ".sha256", ".sqlite", ".tex",
        ".toml", ".tsv", ".txt", ".xls", ".xlsm", ".xlsx", ".xml", ".yaml", ".yml",
    }
)  # fmt: skip
"""Extensions of what lies beside images and is none. What isn't listed is sent: a rejection says more than silence."""
_READ = 1024**2


@dataclass(frozen=True, slots=True)
class Parcel:
    """What becomes one job: a file as it is, or several that are packed into a zip on the way."""

    name: str
    size: int
    """Bytes to send."""
    files: tuple[File, ...]
    """Each file and its name in the zip."""
    packed: bool
    left_out: tuple[str, ...] = ()
    """Names of files in its folders that are not sent, being no images by their names."""

    def digest(self) -> str:
        """SHA-256 of the bytes to send, which are read for it; raises `CannotSend`."""
        whole = hashlib.sha256()
        for piece in self.pieces():
            whole.update(piece)
        return whole.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """The bytes to send, the same each time unless the files change; raises `CannotSend`."""
        try:
            if self.packed:
                yield from files_as_zip(self.files)
            else:
                yield from _read(self.files[0][0])
        except OSError as error:
            raise CannotSend(f"{error.filename or self.name} can't be read: {error.strerror or error}") from error
        except RuntimeError as error:
            raise CannotSend(f"A file in {self.name} changed while it was sent; send it again: {error}") from error


def pack(paths: Sequence[Path]) -> list[Parcel]:
    """Decide what is sent for these files and folders.

    Parameters
    ----------
    paths
        Files and folders, as a person names them. In folders, hidden files and what operating systems leave there are
        passed over, and what is no image by its extension is left out; everything else is sent, as are files named
        themselves, and what is no image will be rejected with its reason.

    Returns
    -------
    list of Parcel
        One for each zip, in the order given, then one for all other files together. Inside a zip files are named
        after their place below the folder, or below the closest folder that holds all the paths.

    Raises
    ------
    CannotSend
        A path doesn't exist, is empty, or can't be read.
    """
    zips: list[Path] = []
    others: list[Path] = []
    for path in dict.fromkeys(Path(os.path.abspath(path)) for path in paths):  # noqa: PTH100 (links stay as they are named)
        _check(path)
        (zips if path.is_file() and path.suffix.lower() == ".zip" else others).append(path)
    parcels = [_single(path) for path in zips]
    if len(others) == 1 and others[0].is_file():
        return [*parcels, _single(others[0])]
    return [*parcels, *([_packed(others)] if others else [])]


def told_apart(parcels: Sequence[Parcel]) -> None:
    """Raise `CannotSend` where two parcels have one name: under one mark they would be taken for the same."""
    names = [parcel.name for parcel in parcels]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise CannotSend(f"Two of the files are called {twice}; under one mark each needs a name of its own.")


def _check(path: Path) -> None:
    if not path.exists():
        raise CannotSend(f"{path} doesn't exist.")
    if not (path.is_file() or path.is_dir()):
        raise CannotSend(f"{path} is neither a file nor a folder.")


def _single(path: Path) -> Parcel:
    size = _size(path)
    if size == 0:
        raise CannotSend(f"{path} is empty.")
    return Parcel(path.name, size, ((path, path.name),), packed=False)


def _packed(paths: list[Path]) -> Parcel:
    root = paths[0] if len(paths) == 1 else _common(paths)
    sent, left = _all_files(paths)
    files = tuple((file, _inside(file, root)) for file in sent)
    left_out = tuple(_inside(file, root) for file in left)
    if not files:
        only = (
            f" images, only {', '.join(left_out[:3])}{' and others' if left_out[3:] else ''}," if left_out else " files"
        )
        raise CannotSend(f"There are no{only} in {', '.join(map(str, paths))}.")
    for file, _ in files:
        _size(file)
    name = f"{root.name if len(paths) == 1 and root.name else 'images'}.zip"
    return Parcel(name, zip_size(files), files, packed=True, left_out=left_out)


def _common(paths: list[Path]) -> Path:
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # drives of Windows have nothing above them
        return Path()


def _inside(file: Path, root: Path) -> str:
    name = file.relative_to(root) if root.parts else file.relative_to(file.anchor)
    return os.fsencode(name.as_posix()).decode(errors="replace")


def _all_files(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Files to send, and files in folders that are left out."""
    named = {path for path in paths if not path.is_dir()}
    inside = {file for path in paths if path.is_dir() for file in _walk(path, set())} - named
    left_out = {file for file in inside if file.suffix.lower() in NO_IMAGES}
    return _in_order(named | inside - left_out), _in_order(left_out)


def _in_order(files: Iterable[Path]) -> list[Path]:
    return sorted(files, key=lambda file: file.as_posix())


def _walk(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Files below a folder; links are followed, but no folder is entered twice."""
    if (real := folder.resolve()) in seen:
        return
    seen.add(real)
    try:
        names = sorted(folder.iterdir())
    except OSError as error:
        raise CannotSend(f"{folder} can't be read: {error.strerror}.") from None
    for path in names:
        if path.name.startswith(".") or path.name.lower() in LITTER:
            continue
        if path.is_dir():
            yield from _walk(path, seen)
        elif path.is_file() or path.is_symlink():
            yield path


def _size(path: Path) -> int:
    """The file's size; raises `CannotSend` where it can't be opened."""
    try:
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise CannotSend(f"{path} can't be read: {error.strerror}.") from None


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_READ):
            yield piece
