"""Where Kafka is, and who we are to it: `host:port`, or `user:password@host:port` where it asks.

Several hosts have commas between them.
"""

from dataclasses import dataclass, field

MECHANISM = "SCRAM-SHA-512"
"""How we say who we are: the password itself never travels. What follows isn't encrypted: keep it within a network."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """A cluster's brokers, of which one that answers is enough."""

    hosts: str
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, address: str) -> "Brokers":
        """Those at an address."""
        who, _, hosts = address.rpartition("@")
        user, _, password = who.partition(":")
        return cls(hosts, user, password)
