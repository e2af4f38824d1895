"""Servers are started once per run, by the first test that asks; e2e tests share one whole system."""

from tests.servers import kafka_address, s3_server, triton_address

__all__ = ["kafka_address", "s3_server", "triton_address"]
