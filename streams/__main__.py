"""`python -m streams CHAIN...` runs one or several chains in one process.

How soon it works, and at what cost to the others on the machine, is decided here: what decoders share is loaded first
and forked off, the rest is loaded without looking for garbage among a million objects that stay.
"""

import gc
import os
import resource
import sys

from observability.logs import configure
from streams.decoders.forkserver import ForkServer
from streams.settings import Settings


def main(chains: list[str]) -> None:
    """Run until SIGTERM."""
    gc.disable()
    settings = Settings()
    most = int(settings.memory_gb * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    configure(settings.heartbeat.stem if settings.heartbeat else "stage " + " ".join(chains))
    decoders = ForkServer(settings.store)
    if any("postprocess" in chain for chain in chains):
        decoders.split_off()
    _check(chains)
    sys.modules["scipy"] = None  # type: ignore[assignment]  # numba would load its linear algebra, which nobody needs
    from streams.process import run

    os._exit(run(chains, settings, decoders))  # threads that still compute would hold the interpreter back


def _check(chains: list[str]) -> None:
    from streams.stages import CHAINS

    unknown = [chain for chain in chains if chain not in CHAINS]
    if unknown or not chains:
        sys.exit(f"usage: python -m streams CHAIN...\nchains: {', '.join(CHAINS)}")


if __name__ == "__main__":
    main(sys.argv[1:])
