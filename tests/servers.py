"""The real servers for tests: each is started by the first test that asks for it, and stops at the end of the run.

They are started as `monolayer up` starts them, on ports and in folders of their own. In a conftest:
``from tests.servers import kafka_address, s3_server, triton_address``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.local.cache import cache_folder
from kiosk.local.install import missing
from kiosk.local.processes import EVERYTHING
from kiosk.local.stack import Local
from kiosk.local.state import State


@dataclass(frozen=True)
class S3Server:
    """A running S3 server with the bucket of Monolayer."""

    endpoint: str
    access_key: str
    secret_key: str
    folder: Path
    """Its buckets are folders here."""


def observable() -> bool:
    """Whether what needs Jaeger is tested: where it is there, or is to be built."""
    return bool(os.environ.get("MONOLAYER_TEST_OBSERVE")) or not missing(cache_folder(), ["jaeger"])


@contextmanager
def running(folder: Path, *parts: str, workers: int = 1) -> Iterator[Local]:
    """Run some parts, or all, with their state in a folder; installs into the usual cache what is not there."""
    local = Local(State(folder), cache_folder(), parts or EVERYTHING, any_ports=True, workers=workers)
    local.install(lambda part, words: print(f"{part}: {words}"))
    local.start(bound=True)
    try:
        local.wait()
        yield local
    finally:
        local.stop()


@pytest.fixture(scope="session")
def kafka_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a Kafka broker with Monolayer's topics."""
    with running(tmp_path_factory.mktemp("kafka"), "kafka") as local:
        yield local.status()["addresses"]["kafka"]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server with an empty bucket `monolayer`."""
    folder = tmp_path_factory.mktemp("s3")
    with running(folder, "s3") as local:
        keys = local.keys()
        yield S3Server(local.status()["addresses"]["s3"], keys.access, keys.secret, folder / "s3" / "data")


@pytest.fixture(scope="session")
def triton_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a Triton that serves the shipped models."""
    with running(tmp_path_factory.mktemp("triton"), "triton") as local:
        yield local.status()["addresses"]["triton"]
