"""What a cluster runs once with each installation, on the real store and broker."""

import pytest

from storage.s3 import S3Store
from streams import prepare
from tests.servers import S3Server

pytestmark = pytest.mark.integration


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, s3_server: S3Server, kafka_address: str) -> pytest.MonkeyPatch:
    variables = {
        "KAFKA": kafka_address,
        "S3_ENDPOINT": s3_server.endpoint,
        "S3_ACCESS_KEY": s3_server.access_key,
        "S3_SECRET_KEY": s3_server.secret_key,
        "BUCKET": "prepared",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"MONOLAYER_{name}", value)
    return monkeypatch


def test_a_bucket_that_was_not_there_can_be_used_afterwards(told: pytest.MonkeyPatch, s3_server: S3Server) -> None:
    prepare.main()
    prepare.main()  # an upgrade does it again
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, "prepared")
    assert list(store.list("")) == []


def test_a_store_that_lets_nobody_in_is_told_of_in_a_sentence(told: pytest.MonkeyPatch) -> None:
    told.setenv("MONOLAYER_S3_SECRET_KEY", "wrong")
    with pytest.raises(SystemExit, match="scratch/probe"):
        prepare.main()
