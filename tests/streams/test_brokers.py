"""An address of Kafka: with or without who we are to it."""

import pytest

from streams.brokers import Brokers


@pytest.mark.parametrize(
    ("address", "brokers"),
    [
        ("127.0.0.1:9092", Brokers("127.0.0.1:9092")),
        ("a:1,b:2", Brokers("a:1,b:2")),
        ("stages:s3c:ret@a:1,b:2", Brokers("a:1,b:2", "stages", "s3c:ret")),
        ("stages:p@ss@a:1", Brokers("a:1", "stages", "p@ss")),
    ],
)
def test_an_address_tells_the_hosts_and_perhaps_who_we_are(address: str, brokers: Brokers) -> None:
    assert Brokers.of(address) == brokers


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Brokers.of("stages:s3cret@a:1"))
