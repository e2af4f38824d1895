"""Images that kill who reads or works on them, on the real Kafka and S3: they are found, and no neighbour is blamed."""

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
import psutil
import pytest
import tifffile

from inference.models import shipped_models
from storage import keys
from storage.s3 import S3Store
from streams import intake
from streams.events import UploadReceived
from streams.jobs import ledger
from streams.jobs.records import JobState
from streams.kafka import Announcer
from tests.servers import S3Server
from tests.streams.deadly_decoding import KILLS
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


def submitted(kafka: str, store: S3Store, deadly: bytes) -> str:
    images = {f"good_{number}.tif": tiff(seed=number) for number in range(6)}
    key = keys.upload(uuid.uuid4().hex, "plate.zip")
    store.put(key, archive({**images, "deadly.tif": deadly}))
    upload = UploadReceived(object=key)
    job = intake.accept(store, upload, shipped_models()).job
    announcer = Announcer(kafka)
    announcer.announce(upload.model_copy(update={"job": job}))
    announcer.close()
    return job


def finished(store: S3Store, job: str, keeper: Keeper) -> JobState:
    until = time.monotonic() + 150
    while (state := ledger.state(store, job)).state != "done":
        assert time.monotonic() < until, state
        keeper.look()
        time.sleep(0.1)
    return state


def test_an_image_whose_worker_dies_three_times_is_rejected_as_killed(  # rule 21
    kafka_address: str, s3_server: S3Server
) -> None:
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, "monolayer")
    deadly = io.BytesIO()
    tifffile.imwrite(deadly, np.random.default_rng(1).integers(60_000, 65_000, (64, 80), np.uint16))
    job = submitted(kafka_address, store, deadly.getvalue())
    with kept(kafka_address, s3_server) as keeper:
        state = finished(store, job, keeper)
    assert (state.labelled, state.rejected) == (6, 1)
    (rejection,) = ledger.rejections(store, job)
    assert (rejection.name, rejection.reason, rejection.attempts) == ("deadly.tif", "killed", 3)
    assert keeper.deaths == 4  # once in company, which counts for nobody, and three times alone
    assert not list(store.list("alone/"))


def test_an_image_whose_reader_dies_three_times_costs_no_worker(kafka_address: str, s3_server: S3Server) -> None:
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, "monolayer")
    job = submitted(kafka_address, store, KILLS)
    with kept(kafka_address, s3_server) as keeper:
        state = finished(store, job, keeper)
        family = psutil.Process(keeper.process.pid).children(recursive=True)
    assert (state.labelled, state.rejected) == (6, 1)
    (rejection,) = ledger.rejections(store, job)
    assert (rejection.name, rejection.reason, rejection.attempts) == ("deadly.tif", "killed", 3)
    assert keeper.deaths == 0
    assert family
    assert not psutil.wait_procs(family, timeout=10)[1]  # the decoders ended with their worker
