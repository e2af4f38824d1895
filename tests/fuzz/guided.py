"""`python -m tests.fuzz.guided TARGET FOLDER [libFuzzer's options]`: fuzz with atheris, which looks for new paths.

Needs atheris beside this project's environment. What it keeps on trying grows in the folder.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["storage", "streams.events", "tifffile", "xml"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until a finding or libFuzzer's end."""
    target, folder = TARGETS[sys.argv[1]], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number:04d}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: target.read(bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
