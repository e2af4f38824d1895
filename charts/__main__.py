"""`make charts`: lays the charts together in a folder, `build/charts` unless another is named, and checks them.

What that needs is built the first time: Helm and kubeconform by the Go toolchain of a wheel, the schemas from Go
modules, a wheel and Strimzi's jars. `python -m charts FOLDER --only-assemble` needs nothing of it.
"""

import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from charts import tools
from charts.assembling import assemble
from charts.checking import failures
from kiosk.local.cache import LocalError, cache_folder


def main(arguments: list[str] | None = None) -> None:
    """Assemble, check, and say where the charts are; exit code 1 where something is wrong."""
    parser = ArgumentParser("python -m charts", None, __doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", nargs="?", type=Path, default=Path("build/charts"))
    parser.add_argument("--only-assemble", action="store_true", help="check nothing")
    given = parser.parse_args(arguments)
    chart, begun = assemble(given.folder), time.monotonic()
    if not given.only_assemble:
        _check(chart)
    print(f"The chart is in {chart}; {time.monotonic() - begun:.0f} s.")


def _check(chart: Path) -> None:
    cache = cache_folder()
    try:
        if needed := tools.missing(cache):
            print(f"Building what charts are checked with, once: {', '.join(needed)}. Some minutes.")
            tools.install(cache, lambda words: print(f"  {words}", flush=True))
        found = failures(chart, cache)
    except LocalError as why:
        sys.exit(str(why))
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
