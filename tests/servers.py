"""The real servers for tests: each is started by the first test that asks for it, and stops at the end of the run.

They are started as `monolayer up` starts them, on ports and in folders of their own. In a conftest:
``from tests.servers import kafka_address, s3_server, triton_address``.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
import pytest

from kiosk.local.cache import cache_folder
from kiosk.local.install import missing
from kiosk.local.processes import EVERYTHING
from kiosk.local.s3 import Keys
from kiosk.local.settings import BUCKET, aws_environment
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

    def variables(self, kafka: str, bucket: str = BUCKET) -> dict[str, str]:
        """What programs of ours and others read, beside a broker."""
        return {
            "MONOLAYER_KAFKA": kafka,
            "MONOLAYER_S3_ENDPOINT": self.endpoint,
            "MONOLAYER_S3_ACCESS_KEY": self.access_key,
            "MONOLAYER_S3_SECRET_KEY": self.secret_key,
            "MONOLAYER_BUCKET": bucket,
        } | aws_environment({"s3": self.endpoint}, Keys(self.access_key, self.secret_key))


def observable() -> bool:
    """Whether what needs Jaeger is tested: where it is there, or is to be built."""
    return bool(os.environ.get("MONOLAYER_TEST_OBSERVE")) or not missing(cache_folder(), ["jaeger"])


@contextmanager
def running(
    folder: Path, *parts: str, workers: int = 1, through: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Local]:
    """Run some parts, or all, with their state in a folder; installs into the usual cache what is not there."""
    state, what = State(folder), parts or EVERYTHING
    local = Local(state, cache_folder(), what, any_ports=True, workers=workers, through=through)
    local.install(lambda part, words: print(f"{part}: {words}"))
    local.start(bound=True)
    try:
        local.wait()
        yield local
    finally:
        local.stop()


def s3_client(variables: Mapping[str, str]) -> Any:
    """boto3's client of the servers that these variables name."""
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )


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
