"""`python -m streams CHAIN...` runs one or several chains in one process."""

import logging
import os
import resource
import sys
import threading

import numpy as np

from inference.models import shipped_models
from inference.triton import Triton
from observability.logs import configure, log
from storage.s3 import S3Store
from streams.decoder import Apart
from streams.forkserver import ForkServer
from streams.kafka import wait_for_topics
from streams.retention import Keeping
from streams.settings import Settings
from streams.stages import CHAINS
from streams.tools import Limits, Tools


def tools(settings: Settings) -> Tools:
    """The tools of this process, as its settings say."""
    store, decoder = S3Store(**settings.store), Apart(ForkServer(settings.store))
    limits = Limits(settings.chained_tiles, settings.interactive_images)
    return Tools.of(store, shipped_models(), Triton(settings.triton), settings.megapixels, limits, decoder)


def main(chains: list[str]) -> None:
    """Run until SIGTERM."""
    unknown = [chain for chain in chains if chain not in CHAINS]
    if unknown or not chains:
        sys.exit(f"usage: python -m streams CHAIN...\nchains: {', '.join(CHAINS)}")
    settings = Settings()
    most = int(settings.memory_gb * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    configure(settings.heartbeat.stem if settings.heartbeat else "stage " + " ".join(chains))
    from streams.upkeep import Upkeep
    from streams.worker import Worker

    log().info("worker_starts", chains=chains)
    given = tools(settings)
    segments = any("postprocess" in chain for chain in chains)
    if segments:
        given.decoder.warm()
    wait_for_topics(settings.kafka)
    upkeep = Upkeep(settings.sweep_seconds, Keeping(settings.orphan_days, settings.results_days))
    worker = Worker(chains, given, settings.kafka, settings.slots, settings.heartbeat, upkeep=upkeep)
    if segments:
        threading.Thread(target=warm, name="warm", daemon=True).start()
    code = worker.run()
    logging.shutdown()
    os._exit(code)  # threads that still compute would hold the interpreter back; their work is not acknowledged


def warm() -> None:
    """Load the compiled parts of segmentation now, not with the first image: a second or more."""
    from inference.measure import measure
    from inference.segmentation import segment

    maps, plane = np.full((2, 64, 64), 200, np.uint8), np.zeros((64, 64), np.uint16)
    measure(segment(maps, (64, 64)), plane, None)


if __name__ == "__main__":
    main(sys.argv[1:])
