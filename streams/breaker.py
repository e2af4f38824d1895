"""A breaker before Triton: it tells an outage, which is nobody's fault, from an image that breaks the server.

Closed, everybody asks at once. The first request that finds nobody there opens it; only a canary, a small inference on
the same model, closes it again (rule 20). Those that were in flight when it opened are then tried one at a time; one
that breaks it three times while alone is what broke it.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from inference.triton import ModelSlow, ModelStumbled, ModelUnavailable
from observability.logs import log
from streams.patience import Patience

T = TypeVar("T")
STRIKES = 3
CANARY_SECONDS = 1.0
"""Between two canaries: work goes on so soon after the server's return."""


class ModelKilled(Exception):
    """The server died on this request three times while it had no other from here."""


class Breaker:
    """Stands before one model server.

    Parameters
    ----------
    pause
        From strikes to seconds: at random, so that two processes don't blame each other's poison on their own images.
    """

    def __init__(self, pause: Callable[[int], float] = lambda strikes: random.uniform(0, 2.0**strikes)) -> None:
        self.open_since: float | None = None
        """When the outage began, in seconds since 1970; none while there is none."""
        self._pause = pause
        self._flying = 0
        self._suspects = 0
        self._changed = asyncio.Condition()
        self._canary: asyncio.Task[None] | None = None

    async def ask(
        self, request: Callable[[], Awaitable[T]], canary: Callable[[], Awaitable[bool]], patience: Patience
    ) -> T:
        """The answer to a request, however long the server is away.

        Raises
        ------
        ModelKilled
            The request breaks the server.
        ModelStumbled
            The server answers others, but not this request in time.
        """
        suspect, strikes = False, 0
        while True:
            async with _Turn(self, suspect, patience):
                try:
                    return await request()
                except ModelUnavailable as error:
                    why = error
                    if isinstance(error, ModelSlow) and await canary():
                        raise ModelStumbled(f"{error}, while the server answers others") from error
                    self._open(canary, error)
            suspect, strikes = True, strikes + suspect
            if strikes == STRIKES:
                raise ModelKilled(f"the model server died on it {STRIKES} times: {why}")
            if strikes:
                with patience.waiting():
                    await asyncio.sleep(self._pause(strikes))

    def _open(self, canary: Callable[[], Awaitable[bool]], why: Exception) -> None:
        if self._canary is None or self._canary.done():
            self.open_since = time.time()
            log().warning("breaker_opened", why=str(why))
            self._canary = asyncio.create_task(self._until_back(canary))

    async def _until_back(self, canary: Callable[[], Awaitable[bool]]) -> None:
        begun = time.monotonic()
        while not await _answers(canary):  # noqa: ASYNC110  # nobody would tell us
            await asyncio.sleep(CANARY_SECONDS)
        async with self._changed:
            self.open_since = None
            self._changed.notify_all()
        log().info("breaker_closed", seconds=round(time.monotonic() - begun, 1))

    def _clear(self, suspect: bool) -> bool:
        if self.open_since is not None:
            return False
        return self._flying == 0 if suspect else self._suspects == 0


async def _answers(canary: Callable[[], Awaitable[bool]]) -> bool:
    """Whether the canary is answered; what it can't make sense of is no answer, and it goes on to be asked."""
    try:
        return await canary()
    except Exception as error:
        log().warning("canary_failed", error=repr(error))
        return False


class _Turn:
    """A request's time at the server: beside others, or as a suspect without them."""

    def __init__(self, breaker: Breaker, suspect: bool, patience: Patience) -> None:
        self._breaker = breaker
        self._suspect = suspect
        self._patience = patience

    async def __aenter__(self) -> None:
        breaker = self._breaker
        breaker._suspects += self._suspect
        try:
            with self._patience.waiting():
                async with breaker._changed:
                    await breaker._changed.wait_for(lambda: breaker._clear(self._suspect))
                    breaker._flying += 1
        except BaseException:
            breaker._suspects -= self._suspect
            raise

    async def __aexit__(self, *_: object) -> None:
        breaker = self._breaker
        breaker._flying -= 1
        breaker._suspects -= self._suspect
        async with breaker._changed:
            breaker._changed.notify_all()
