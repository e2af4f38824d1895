"""Servers are started once per run, by the first test that asks; e2e tests share one whole system."""

import pytest

from tests.servers import kafka_address, s3_server, triton_address

__all__ = ["kafka_address", "s3_server", "triton_address"]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `-n 2 --dist loadgroup` the end-to-end tests, which mostly wait, run beside all others."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group("others" if item.get_closest_marker("e2e") is None else "e2e"))
