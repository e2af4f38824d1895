"""A supervisor whose segmenting workers acknowledge first: the position passes an event when it is taken on.

`python -m tests.e2e.careless` is run in the place of `python -m kiosk.local`; with a chain as its argument it is such
a worker itself.
"""

import sys
from collections.abc import Mapping
from typing import Any


def supervise() -> None:
    """Keep everything, with careless workers."""
    from kiosk.local import __main__ as supervisor
    from kiosk.local import processes

    careful: Mapping[str, tuple[str, ...]] = processes.PROGRAMS
    module, *chains = careful[processes.SEGMENT]
    assert module == "streams"
    processes.PROGRAMS = {**careful, processes.SEGMENT: ("tests.e2e.careless", *chains)}
    supervisor.main()


def work(chains: list[str]) -> None:
    """Be a worker without its most important safeguard."""
    from streams import __main__ as stage
    from streams.work import consuming
    from streams.work.tracker import Tracker

    careful = Tracker.take

    def careless(tracker: Tracker[Any], tp: Any, *arguments: Any) -> Any:
        entry = careful(tracker, tp, *arguments)
        tracker.finish(tp, entry)
        return entry

    Tracker.take = careless  # type: ignore[method-assign]
    consuming.COMMIT_SECONDS = 0.05
    stage.main(chains)


if __name__ == "__main__":
    supervise() if sys.argv[1].startswith("--") else work(sys.argv[1:])
