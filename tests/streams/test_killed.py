"""An image that kills its worker, on the real Kafka and the real S3: it is found, and its neighbours are not blamed."""

import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import tifffile

from inference.models import shipped_models
from storage import keys
from storage.s3 import S3Store
from streams import intake, ledger
from streams.events import UploadReceived
from streams.kafka import Announcer
from tests.servers import S3Server
from tests.streams.stand import archive, tiff

pytestmark = pytest.mark.integration


class Keeper:
    """Starts a worker again whenever it has died."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.deaths = 0
        self.process = self._start()

    def look(self) -> None:
        if self.process.poll() is not None:
            assert self.process.returncode == -signal.SIGKILL
            self.deaths += 1
            self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.streams.deadly"], env=self._environment)


@contextmanager
def kept(kafka: str, s3: S3Server) -> Iterator[Keeper]:
    environment = {
        **os.environ,
        "MONOLAYER_KAFKA": kafka,
        "MONOLAYER_S3_ENDPOINT": s3.endpoint,
        "MONOLAYER_S3_ACCESS_KEY": s3.access_key,
        "MONOLAYER_S3_SECRET_KEY": s3.secret_key,
    }
    keeper = Keeper(environment)
    try:
        yield keeper
    finally:
        keeper.process.terminate()
        keeper.process.wait(20)


def test_an_image_whose_worker_dies_three_times_is_rejected_as_killed(  # rule 21
    kafka_address: str, s3_server: S3Server
) -> None:
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, "monolayer")
    images = {f"good_{number}.tif": tiff(seed=number) for number in range(6)}
    deadly = io.BytesIO()
    tifffile.imwrite(deadly, np.random.default_rng(1).integers(60_000, 65_000, (64, 80), np.uint16))
    key = keys.upload(uuid.uuid4().hex, "plate.zip")
    store.put(key, archive({**images, "deadly.tif": deadly.getvalue()}))
    upload = UploadReceived(object=key)
    job = intake.accept(store, upload, shipped_models()).job
    announcer = Announcer(kafka_address)
    announcer.announce(upload.model_copy(update={"job": job}))
    announcer.close()
    with kept(kafka_address, s3_server) as keeper:
        until = time.monotonic() + 150
        while (state := ledger.state(store, job)).state != "done":
            assert time.monotonic() < until, state
            keeper.look()
            time.sleep(0.1)
    assert (state.labelled, state.rejected) == (6, 1)
    (rejection,) = ledger.rejections(store, job)
    assert (rejection.name, rejection.reason, rejection.attempts) == ("deadly.tif", "killed", 3)
    assert keeper.deaths == 4  # once in company, which counts for nobody, and three times alone
    assert not list(store.list("alone/"))
