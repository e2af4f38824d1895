"""The model server: NVIDIA's tritonserver from the nvidia-pytriton wheel, in a virtual environment of its own.

Its models run in the server's Python backend, in whatever `python3` comes first on its path. With NumPy 2 there, they
answer empty arrays and say nothing, so that environment has NumPy 1 and an ONNX Runtime, and Monolayer's has neither.
"""

import ctypes
import os
import sys
import sysconfig
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from kiosk.local import wheels
from kiosk.local.cache import LocalError, Tell, digest, once

VERSION = "0.7.0"
LOCK = "triton.lock"
_INSTALL_BYTES = 600_000_000
_FAILURE = (
    "The model server Triton could not be installed: {}. It needs a network, and Linux with glibc 2.35 or newer. "
    "What is finished is kept: start again."
)
_LIBPYTHON = "libpython3.11.so.1.0"
_FLAGS = (
    "--model-control-mode=explicit",
    "--load-model=*",
    "--disable-auto-complete-config",
    "--strict-readiness=false",
    "--exit-on-error=false",
    "--exit-timeout-secs=2",
    "--allow-gpu-metrics=false",
)


def installed(cache: Path) -> Path:
    """Return where Triton's virtual environment is, or will be once `install` ran.

    Parameters
    ----------
    cache
        The cache folder.
    """
    return cache / f"triton-{VERSION}-{digest([wheels.lock(LOCK), sys.base_prefix.encode()])}"


def install(cache: Path, tell: Tell) -> Path:
    """Install Triton unless it is there.

    Parameters
    ----------
    cache
        The cache folder.
    tell
        Hears what is going on.

    Returns
    -------
    Path
        The virtual environment.

    Raises
    ------
    LocalError
        The packages could not be had, or this machine can't run them.
    """
    _library_folder()
    return once(installed(cache), partial(_build, tell=tell), _INSTALL_BYTES)


def _build(folder: Path, tell: Tell) -> None:
    tell("downloading, 120 MB")
    wheels.environment(LOCK, folder, _FAILURE)
    _link_backends(folder)


def _link_backends(folder: Path) -> None:
    """Lay out the backend folder that the server expects: the backend, its helper module and Python 3.11's stub."""
    wheel, backend = _wheel(folder), folder / "backends" / "python"
    backend.mkdir(parents=True)
    for part in (
        "backends/python/libtriton_python.so",
        "backends/python/triton_python_backend_utils.py",
        "python_backend_stubs/3.11/triton_python_backend_stub",
    ):
        source = os.path.relpath(wheel / part, backend)  # relative: the environment is renamed when it is complete
        (backend / Path(part).name).symlink_to(source)


def _wheel(folder: Path) -> Path:
    return folder / "lib" / "python3.11" / "site-packages" / "pytriton" / "tritonserver"


def command(environment: Path, repository: Path, ports: Mapping[str, int], shared_memory: str) -> list[str]:
    """Return how the server is started; `variables` belong to it.

    Parameters
    ----------
    environment
        The virtual environment from `install`.
    repository
        The model repository.
    ports
        ``triton`` (gRPC), ``triton-http`` and ``triton-metrics``, on 127.0.0.1.
    shared_memory
        How the names of its shared memory begin, see `forget_shared_memory`.
    """
    listening = [
        flag
        for protocol, name in (("grpc", "triton"), ("http", "triton-http"), ("metrics", "triton-metrics"))
        for flag in (f"--{protocol}-address=127.0.0.1", f"--{protocol}-port={ports[name]}")
    ]
    return [
        str(_wheel(environment) / "bin" / "tritonserver"),
        f"--model-repository={repository}",
        f"--backend-directory={environment / 'backends'}",
        f"--backend-config=python,shm-region-prefix-name={shared_memory}",
        *listening,
        *_FLAGS,
    ]


def variables(environment: Path) -> dict[str, str]:
    """Return the server's environment variables.

    Parameters
    ----------
    environment
        The virtual environment from `install`.
    """
    folders = [_library_folder(), os.environ.get("LD_LIBRARY_PATH")]
    return {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(environment),
        "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime would write down on which machine it ran what, and report that
        "LD_LIBRARY_PATH": os.pathsep.join(folder for folder in folders if folder),
    }


def forget_shared_memory(prefix: str, folder: Path = Path("/dev/shm")) -> None:
    """Remove the shared memory that a server left when it was killed; it would stay until the machine restarts.

    Parameters
    ----------
    prefix
        How its names begin.
    folder
        Where the system shows shared memory.
    """
    for left in folder.glob(f"{prefix}*"):
        left.unlink(missing_ok=True)


def _library_folder() -> str | None:
    """Find Python's shared library, which the stub is linked to: beside this Python, or where the system looks."""
    folder = sysconfig.get_config_var("LIBDIR")
    if folder and (Path(folder) / _LIBPYTHON).exists():
        return str(folder)
    try:
        ctypes.CDLL(_LIBPYTHON)
    except OSError:
        raise LocalError(
            f"Triton's Python backend needs {_LIBPYTHON}, which this Python came without. Install it, on Debian and "
            "Ubuntu with: apt-get install libpython3.11"
        ) from None
    return None
