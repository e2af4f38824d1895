"""A worker process that is killed, kill -9, by every image that is bright all over. Run as a module by its test."""

import os
import signal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import Model, shipped_models
from storage.s3 import S3Store
from streams.settings import Settings
from streams.tools import Limits, Tools
from streams.worker import Worker
from tests.streams.stand import Bright

CHAINS = ("unzip", "announce", "tile+predict+postprocess", "collect")


class Deadly(Bright):
    """Predicts as `Bright` does, while it lives."""

    async def infer(self, model: Model, tile: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
        if tile.min() > 50_000:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().infer(model, tile, low, high)


def main() -> None:
    """Work until SIGTERM, or until death."""
    settings = Settings()
    store = S3Store(settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.bucket)
    tools = Tools.of(store, shipped_models(), Deadly(), 10, Limits(16, 20))
    os._exit(Worker(CHAINS, tools, settings.kafka).run())


if __name__ == "__main__":
    main()
