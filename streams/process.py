"""One worker process: its tools as settings say, and its run from the first heartbeat to SIGTERM."""

import gc
import logging
import threading
from collections.abc import Sequence

import numpy as np

from inference.models import shipped_models
from inference.triton import Triton
from observability import cost, metrics
from observability.logs import log
from observability.tracing.otlp import Otlp
from storage.s3 import S3Store
from streams import gauges, metering
from streams.decoders.decoder import Apart
from streams.decoders.forkserver import ForkServer
from streams.kafka import wait_for_topics
from streams.notices.telling import Terms
from streams.retention import Keeping
from streams.settings import Settings
from streams.signing import house_secret
from streams.tools import Limits, Tools
from streams.tracing.traces import Sampling, Traces
from streams.upkeep import Upkeep
from streams.worker import Worker


def tools(settings: Settings, decoders: ForkServer) -> Tools:
    """The tools of this process."""
    limits = Limits(settings.chained_tiles, settings.interactive_images)
    store, triton = S3Store(**settings.store), Triton(settings.triton)
    sampling = Sampling(settings.traces_ratio, settings.traces_slow_seconds)
    traces = Traces(store, Otlp(settings.traces), sampling) if settings.traces else None
    prices = cost.read(settings.prices) if settings.prices else None
    return Tools.of(store, shipped_models(), triton, settings.megapixels, limits, Apart(decoders), traces, prices)


def run(chains: Sequence[str], settings: Settings, decoders: ForkServer) -> int:
    """Work until SIGTERM; returns the exit code."""
    log().info("worker_starts", chains=chains)
    given = tools(settings, decoders)
    wait_for_topics(settings.kafka)
    terms = Terms(house_secret(settings.s3_secret_key), settings.notify_private)
    upkeep = Upkeep(settings.sweep_seconds, Keeping(settings.orphan_days, settings.results_days), terms)
    worker = Worker(chains, given, settings.kafka, settings.slots, settings.heartbeat, upkeep=upkeep)
    metering.begin()
    gauges.watch(worker.lanes, given)
    metrics.serve(settings.metrics)
    threading.Thread(target=_settle, args=(decoders.runs,), name="settle", daemon=True).start()
    code = worker.run()
    logging.shutdown()
    return code


def warm() -> None:
    """Load the compiled parts of segmentation now, not with the first image: half a second or more."""
    from inference.measure import measure
    from inference.segmentation import segment

    maps, plane = np.full((2, 64, 64), 200, np.uint8), np.zeros((64, 64), np.uint16)
    measure(segment(maps, (64, 64)), plane, None)


def _settle(segments: bool) -> None:
    """From here on garbage is collected, but never looked for in what was loaded so far."""
    try:
        if segments:
            warm()
    finally:
        gc.freeze()
        gc.enable()
