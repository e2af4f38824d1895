"""`make docs`: builds the documentation into a folder, `build/docs` unless another is named."""

import sys
from pathlib import Path

from docs.building import NotBuilt, build


def main() -> None:
    """Build, and say where it is."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/docs")
    try:
        print(f"The documentation is in {build(folder)}; a running Monolayer serves it at /docs/.")
    except NotBuilt:
        sys.exit(1)


if __name__ == "__main__":
    main()
