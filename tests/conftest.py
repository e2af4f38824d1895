"""Servers are started once per run, by the first test that asks; e2e tests share one whole system."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.servers import kafka_address, s3_server, triton_address

__all__ = ["kafka_address", "s3_server", "triton_address"]


class EndToEndBeside(LoadScopeScheduling):
    """With `-n 2` the end-to-end tests, which mostly wait, run beside all others."""

    def _split_scope(self, nodeid: str) -> str:
        return "e2e" if nodeid.startswith("tests/e2e/") else "others"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> EndToEndBeside:
    return EndToEndBeside(config, log)
