"""A worker that dies, kill -9, of images that are bright all over; its decoders die too. Run as a module by tests."""

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import Model, shipped_models
from storage.s3 import S3Store
from streams.decoders.decoder import Apart
from streams.decoders.forkserver import ForkServer
from streams.settings import Settings
from streams.tools import Limits, Tools
from streams.worker import Worker
from tests.streams.stand import Bright

CHAINS = ("unzip", "announce", "tile+predict+postprocess", "collect")


class Deadly(Bright):
    """Predicts as `Bright` does, while it lives."""

    async def infer(
        self, model: Model, tile: NDArray[Any], low: float, high: float, took: Callable[[float], None]
    ) -> NDArray[np.uint8]:
        if tile.min() > 50_000:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().infer(model, tile, low, high, took)


def main() -> None:
    """Work until SIGTERM, or until death."""
    settings = Settings()
    decoder = Apart(ForkServer(settings.store, "tests.streams.deadly_decoding"))
    tools = Tools.of(S3Store(**settings.store), shipped_models(), Deadly(), 10, Limits(16, 20), decoder)
    os._exit(Worker(CHAINS, tools, settings.kafka).run())


if __name__ == "__main__":
    main()
