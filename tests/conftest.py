"""Servers are started once per run, by the first test that asks; e2e tests share one whole system."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.servers import kafka_address, observable, s3_server, triton_address

settings.register_profile("monolayer", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("monolayer")  # a busy machine is no failure

__all__ = ["kafka_address", "s3_server", "triton_address"]


class EndToEndBeside(LoadScopeScheduling):
    """With `-n 2` the end-to-end tests, which mostly wait, run beside all others."""

    def _split_scope(self, nodeid: str) -> str:
        return "e2e" if nodeid.startswith("tests/e2e/") else "others"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> EndToEndBeside:
    return EndToEndBeside(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses `monolayer up --observe` has Jaeger and tests it; nobody else waits ten minutes for it."""
    if observable():
        return
    skipped = pytest.mark.skip(reason="Jaeger is not in the cache; with MONOLAYER_TEST_OBSERVE=1 it is built")
    for item in items:
        if item.get_closest_marker("observe"):
            item.add_marker(skipped)
