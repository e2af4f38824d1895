"""Where messages may go."""

import doctest
import socket
from typing import Any

import pytest

from streams.notices import addresses
from streams.notices.addresses import Unsuitable, check, look_up

INSIDE = [
    "127.0.0.1", "127.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "[::1]",
    "[::]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "224.0.0.1", "255.255.255.255", "localhost", "x.localhost", "printer.local", "metadata.google.internal",
    "2130706433", "0x7f000001", "[fec0::1]", "[64:ff9b:1::7f00:1]", "[::127.0.0.1]",
]  # fmt: skip


def test_the_example_holds() -> None:
    assert doctest.testmod(addresses).failed == 0


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_that_only_this_network_can_reach_is_refused(host: str) -> None:
    with pytest.raises(Unsuitable, match=r"no other network can reach|leads to"):
        look_up(check(f"https://{host}/hook"))


def test_it_is_allowed_where_a_setting_says_so() -> None:
    assert look_up(check("http://127.0.0.1:8000/x", private=True), private=True) == "127.0.0.1"


def test_a_name_is_judged_by_where_it_leads_and_by_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    led: list[str] = []

    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in led]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    led[:] = ["1.1.1.1"]
    assert look_up(check("https://lab.example/hook")) == "1.1.1.1"
    led[:] = ["1.1.1.1", "10.0.0.1"]
    with pytest.raises(Unsuitable, match=r"lab\.example leads to an address"):
        look_up(check("https://lab.example/hook"))


@pytest.mark.parametrize(
    ("url", "word"),
    [("http://lab.example", "https://"), ("ftp://lab.example", "https://"), ("https://", "no address"),
     ("x", "no address"),
     ("https://user:secret@lab.example", "password"), ("https://lab.example:99999", "no address"),
     ("https://[", "no address"),
     ("https://lab.example/\nx", "no address"), ("https://lab.example/" + "x" * 2000, "no address"), ("", "no address"),
     ("https://lab.éxample", "no address"), ("https://a..b", "no address"), ("https://" + "a" * 64, "no address"),
     ("file:///etc/passwd", "no address")],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str, word: str) -> None:
    with pytest.raises(Unsuitable, match=word):
        check(url)
