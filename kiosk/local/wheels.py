"""Packages from a lock with their hashes, beside Monolayer's own: by uv where it is at hand, else by Python's tools."""

import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

from kiosk.local.cache import LocalError

_UV = Path(sys.executable).parent / "uv"
"""It takes seconds."""


def lock(name: str) -> bytes:
    """Return what a lock pins.

    Parameters
    ----------
    name
        Its file, beside this one.
    """
    return files(__package__).joinpath(name).read_bytes()


def unpack(name: str, folder: Path, failure: str) -> None:
    """Unpack a lock's packages into a folder; nothing of them is run.

    Parameters
    ----------
    name
        The lock's file, beside this one or by its whole path.
    folder
        Where they belong.
    failure
        The sentences for a person where that can't be done; the installer's last word stands at ``{}``.

    Raises
    ------
    LocalError
        They could not be had.
    """
    _install(name, sys.executable, ["--target", str(folder)], failure)


def environment(name: str, folder: Path, failure: str) -> None:
    """Make a virtual environment of a lock's packages.

    Parameters
    ----------
    name, folder, failure
        See `unpack`.

    Raises
    ------
    LocalError
        They could not be had.
    """
    if _UV.exists():
        _run([str(_UV), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)], failure)
    else:
        _run([sys.executable, "-m", "venv", str(folder)], failure)
    _install(name, str(folder / "bin" / "python3"), [], failure)


def _install(name: str, python: str, where: list[str], failure: str) -> None:
    installer = [str(_UV), "pip", "install", "--python", python]
    if not _UV.exists():
        installer = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    with as_file(files(__package__).joinpath(name)) as pinned:
        _run([*installer, "--quiet", "--no-deps", "--require-hashes", *where, "-r", str(pinned)], failure)


def _run(argv: list[str], failure: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise LocalError(failure.format(said[-1].strip()))
