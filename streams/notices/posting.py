"""Sends one message. It is loaded when there is one: a worker that has none does without an HTTP client."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from streams.notices import addresses, signed
from streams.notices.addresses import Unsuitable
from streams.notices.signed import Message

TRY_SECONDS = 15.0
"""One try takes at most so long, the look-up of the name included."""
AGENT = "Monolayer"


class NotTaken(Exception):
    """Nobody took the message this time; the message says why."""


class Post:
    """Sends messages, for the length of an `async with` block.

    Parameters
    ----------
    private
        Whether they may go to addresses that only this network can reach.
    lookups
        Where names are looked up: a name server that never answers keeps these threads waiting, and nobody else.
    """

    def __init__(self, private: bool, lookups: ThreadPoolExecutor, now: Callable[[], float] = time.time) -> None:
        self._private, self._lookups, self._now = private, lookups, now
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.AsyncClient(timeout=TRY_SECONDS, trust_env=False, limits=limits)

    async def __aenter__(self) -> "Post":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, message: Message, url: str, secret: bytes) -> int:
        """The status that it was answered with; raises `NotTaken`, and `Unsuitable` for where nothing is sent."""
        try:
            async with asyncio.timeout(TRY_SECONDS):
                return await self._send(message, url, secret)
        except (UnicodeError, httpx.InvalidURL) as why:  # names that no name server can be asked for
            raise Unsuitable(f"{url[:100]!r} is no address: {why}") from why
        except (OSError, TimeoutError, httpx.HTTPError) as why:
            raise NotTaken(str(why) or type(why).__name__) from why

    async def _send(self, message: Message, url: str, secret: bytes) -> int:
        """Call the address that was judged, by the name that it has; the answer's body is nobody's business."""
        place = addresses.check(url, self._private)
        found = await asyncio.get_running_loop().run_in_executor(self._lookups, addresses.look_up, place, self._private)
        headers = signed.headers(message, secret, int(self._now()))
        headers |= {"host": httpx.URL(url).netloc.decode(), "user-agent": AGENT}
        named: dict[str, Any] = {"sni_hostname": place.host} if place.scheme == "https" else {}
        target = httpx.URL(url).copy_with(host=found)
        async with self._http.stream("POST", target, content=message.body, headers=headers, extensions=named) as answer:
            return answer.status_code
