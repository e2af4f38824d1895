"""The cache folder: what is downloaded or built once, whole or not at all."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.errors import MonolayerError

Tell = Callable[[str], None]
"""Takes a few words on how far a download or a build is, for a person to read."""


class LocalError(MonolayerError):
    """Something on this machine keeps a part from starting; the message is a sentence that says what to do."""


def cache_folder() -> Path:
    """Return the folder for downloads and builds.

    Returns
    -------
    Path
        ``MONOLAYER_CACHE``, else ``monolayer`` in the XDG cache folder (usually ``~/.cache``).
    """
    own = os.environ.get("MONOLAYER_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "monolayer"


def digest(pieces: Iterable[bytes]) -> str:
    """Return a few letters that stand for these bytes: what is made from others has a folder of another name.

    Parameters
    ----------
    pieces
        What something is made from.
    """
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()[:8]


def once(folder: Path, build: Callable[[Path], None], needs_bytes: int = 0) -> Path:
    """Make a folder of the cache unless it is there already.

    It is built beside its place and renamed when complete, so an interrupted build leaves nothing behind that looks
    finished. A second caller, in this process or another, waits for the first.

    Parameters
    ----------
    folder
        Where the result belongs; its name carries the version.
    build
        Fills the empty folder that it is given; raises `LocalError` when it can't.
    needs_bytes
        Free disk space that the build wants, checked before it begins.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    LocalError
        The disk is too full, the folder can't be written to, or the build failed.
    """
    if folder.exists():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(folder.parent / f".{folder.name}.lock"):
            if not folder.exists():
                _build(folder, build, needs_bytes)
    except OSError as error:
        raise LocalError(
            f"{folder} could not be made: {error.strerror or error}. Make room there, or set MONOLAYER_CACHE to a "
            "folder that can be written to, and start again; what is finished is kept."
        ) from error
    return folder


def _build(folder: Path, build: Callable[[Path], None], needs_bytes: int) -> None:
    for unfinished in folder.parent.glob(f".{folder.name}-*"):
        remove(unfinished)
    free = shutil.disk_usage(folder.parent).free
    if free < needs_bytes:
        raise LocalError(
            f"{folder.parent} has {free / 1e9:.1f} GB free, and {folder.name} needs {needs_bytes / 1e9:.1f} GB while "
            "it is made. Make room, or set MONOLAYER_CACHE to another folder."
        )
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        build(work)
        os.sync()  # a power cut after the rename must not find empty files
        work.chmod(0o755)
        work.rename(folder)
    finally:
        remove(work)


def remove(folder: Path) -> None:
    """Delete a folder, also when files in it are write-protected as Go's module cache makes them; absent is fine.

    Parameters
    ----------
    folder
        What to delete.
    """
    for inner, _, _ in os.walk(folder):
        Path(inner).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock that the kernel lets go of when this process ends, however it ends.

    Parameters
    ----------
    path
        The lock's file; it stays.
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
