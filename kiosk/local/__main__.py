"""``python -m kiosk.local``: the supervisor as a process of its own; `monolayer up` starts it."""

import argparse
import logging
import os
import sys
from functools import partial
from pathlib import Path

from kiosk.local.cache import LocalError
from kiosk.local.ports import wanted
from kiosk.local.processes import EVERYTHING, chosen, table
from kiosk.local.serve import AlreadyRunning, serve
from kiosk.local.settings import HERE
from kiosk.local.state import State


def main() -> None:
    """Serve until told to stop; an error is one sentence in the log."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.local", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the state folder")
    parser.add_argument("--cache", type=Path, required=True, help="where the servers are installed")
    parser.add_argument("--parts", default=",".join(EVERYTHING), help="what to run, with commas between")
    parser.add_argument("--any-ports", action="store_true", help="don't try the usual ports first")
    parser.add_argument("--workers", type=int, default=1, help="how many processes segment images")
    parser.add_argument("--through", action="append", default=[], metavar="PART=ADDRESS", help="a proxy before a part")
    parser.add_argument("--host", default=HERE, help="where the API and the S3 server listen")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    parts = options.parts.split(",")
    ports = wanted(parts, chosen(parts, options.workers))
    usual = dict.fromkeys(ports, 0) if options.any_ports else ports
    through = dict(entry.split("=", 1) for entry in options.through)
    try:
        make = partial(table, workers=options.workers)
        serve(State(options.state), options.cache, parts, usual, make, through=through, host=options.host)
    except (LocalError, AlreadyRunning) as error:
        sys.exit(str(error))
    logging.shutdown()
    os._exit(0)  # everything is stopped; a question that still waits in a thread must not keep us


if __name__ == "__main__":
    main()
