"""Where messages may go: to what the whole internet can reach, and never to what only this network can.

Whoever submits names the address, and it is this Monolayer that calls there: without these rules anyone could have it
call the servers beside it. A name is looked up once, and the address that was judged is the one that is called.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from streams.events import MAX_ADDRESS

PORTS = {"https": 443, "http": 80}
_GIVEN_OUT = IPv6Network("2000::/3")
"""All of IPv6 that is anybody's on the internet: beside it lie this network's own, and IPv4 as NAT64 writes it."""
_LONGEST_LABEL = 63
_PRIVATE = "that no other network can reach; MONOLAYER_NOTIFY_PRIVATE=true allows them"


class Unsuitable(Exception):
    """No message is sent there; the message is a sentence without its full stop."""


class Place(NamedTuple):
    """Where a message goes."""

    scheme: str
    host: str
    port: int


def check(url: str, private: bool = False) -> Place:
    """The place that an address names, as far as can be told without asking anyone; raises `Unsuitable`.

    Parameters
    ----------
    private
        Whether it may be one that only this network can reach, or this machine, also without encryption.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as why:
        raise Unsuitable(f"{url!r} is no address: {why}") from None
    if len(url) > MAX_ADDRESS or not url.isascii() or not url.isprintable() or " " in url or not host:
        raise Unsuitable(f"{url[:100]!r} is no address")
    if not all(0 < len(label) <= _LONGEST_LABEL for label in host.removesuffix(".").split(".")) and ":" not in host:
        raise Unsuitable(f"{url[:100]!r} is no address")
    if parts.username is not None or parts.password is not None:
        raise Unsuitable("an address with a password in it is kept and logged; the signature says who is calling")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise Unsuitable(f"{url!r} has to begin with https://")
    place = Place(parts.scheme, host, port or PORTS[parts.scheme])
    if not private:
        _check_literal(host)
    return place


def look_up(place: Place, private: bool = False) -> str:
    """The IP address to call. It blocks; raises `Unsuitable`, and `OSError` where the name leads nowhere."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    led = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not private and not all(map(is_public, led)):
        raise Unsuitable(f"{place.host} leads to an address {_PRIVATE}")
    return str(led[0])


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the whole internet can reach it, whichever way it is written.

    >>> [is_public(ip_address(each)) for each in ("1.1.1.1", "169.254.169.254", "::ffff:127.0.0.1", "2606:4700::1")]
    [True, False, False, True]
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address not in _GIVEN_OUT or address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast


def _check_literal(host: str) -> None:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise Unsuitable(f"{host} is an address {_PRIVATE}")
    try:
        address = ip_address(host)
    except ValueError:
        return
    if not is_public(address):
        raise Unsuitable(f"{host} is an address {_PRIVATE}")
