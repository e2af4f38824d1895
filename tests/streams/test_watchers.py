"""Several processes watch one inbox, before the real servers."""

import uuid

import pytest

from storage.s3 import S3Store
from tests.bench.watchers import deliver
from tests.servers import S3Server

pytestmark = pytest.mark.integration


def test_two_watchers_that_are_killed_at_random_make_one_job_of_each_object(  # rule 8
    s3_server: S3Server, kafka_address: str
) -> None:
    bucket = f"watched-{uuid.uuid4().hex}"
    S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, bucket).create_bucket()
    told = deliver(s3_server.variables(kafka_address, bucket), objects=100, watchers=2, kills=2, seed=1)
    assert told["announced"] == told["accepted"] == 100
    assert told["kills"] == 2
