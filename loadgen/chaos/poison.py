"""Images that kill whoever reads them: the proxy sees the read, and does it in their name."""

import os
from collections import Counter
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGKILL

from loadgen.chaos.holdings import Holdings
from loadgen.chaos.http import Answer, Request
from loadgen.chaos.store_proxy import Cut


@dataclass(slots=True)
class Killers:
    """A rule: whoever reads one of these images dies, every time."""

    holdings: Holdings
    archive: str
    """The name of the archive they are in."""
    images: Set[int]
    deaths: Counter[int]
    """How many processes each killed: decoders, where workers have those."""

    async def asked(self, request: Request) -> None:
        """Kill the reader of a killer."""
        if request.method != "GET" or request.start is None or not request.key.endswith(f"/{self.archive}"):
            return
        image = self.holdings.number(request.key, request.start)
        if image is None or image not in self.images:
            return
        if (owner := await self.holdings.owner(request)) is None:
            return
        with suppress(ProcessLookupError):
            os.kill(owner.pid, SIGKILL)
            self.deaths[image] += 1
            raise Cut

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Change nothing."""
        return answer
