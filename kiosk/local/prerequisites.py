"""What must be there before anything can be installed, each lack told in one sentence. Runs on any Python 3."""

import platform
import sys
import sysconfig
from pathlib import Path


def lacks():  # type: ignore[no-untyped-def]  # an older Python must be able to read this
    """Every sentence that has to be said."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        yield "Monolayer's servers run on Linux on x86-64 (WSL2 is fine); this is {} on {}.".format(  # noqa: UP032
            sys.platform, platform.machine()
        )
    if sys.version_info[:2] != (3, 11):
        yield (
            "Python 3.11 is needed (Triton's python backend is built for it); this is {}.{}: install python3.11 with "
            "its venv module, or name it: make PYTHON=/path/to/python3.11".format(*sys.version_info[:2])
        )
        return
    folders = [sysconfig.get_config_var("LIBDIR") or "", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"]
    if not any((Path(folder) / "libpython3.11.so.1.0").exists() for folder in folders):
        yield "Python's shared library is missing: install libpython3.11 (Debian, Ubuntu) or python3.11-libs (Fedora)."
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        yield "Python's venv module is missing: install python3.11-venv (Debian, Ubuntu)."


if __name__ == "__main__":
    said = list(lacks())  # type: ignore[no-untyped-call]
    for sentence in said:
        print(sentence, file=sys.stderr)
    sys.exit(1 if said else 0)
