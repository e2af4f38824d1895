"""Work in flight is bounded in megapixels, not in images."""

import asyncio

from streams.patience import Patience


class Room:
    """So many megapixels at once, and some more for what is urgent. A larger image runs alone.

    Whoever holds nothing yet waits in line, so that a large image is not passed for ever by small ones; whoever holds
    something grows before the line, and the oldest holder never waits, so that two can't wait for one another. Who is
    urgent stands first in line.
    """

    def __init__(self, megapixels: float, reserve: float = 0.0) -> None:
        self._megapixels = megapixels
        self._reserve = reserve
        self._taken: dict[Share, float] = {}
        self._line: list[Share] = []
        self._changed = asyncio.Condition()

    async def take(self, share: "Share", megapixels: float) -> None:
        """Wait until this share may be so large (never smaller than it is)."""
        async with self._changed:
            if share not in self._taken:
                self._line.insert(0 if share.urgent else len(self._line), share)
            try:
                await self._changed.wait_for(lambda: self._fits(share, megapixels))
                self._taken[share] = max(megapixels, self._taken.get(share, 0.0))
            finally:
                if share in self._line:
                    self._line.remove(share)
                    self._changed.notify_all()

    async def give_back(self, share: "Share") -> None:
        """Free what a share took."""
        async with self._changed:
            self._taken.pop(share, None)
            self._changed.notify_all()

    def _fits(self, share: "Share", megapixels: float) -> bool:
        if share in self._line and self._line[0] is not share:
            return False
        others = sum(taken for other, taken in self._taken.items() if other is not share)
        oldest = next(iter(self._taken), share) is share
        return oldest or others + megapixels <= self._megapixels + self._reserve * share.urgent


class Share:
    """What one run has taken of the room."""

    def __init__(self, room: Room, patience: Patience | None = None, urgent: bool = False) -> None:
        self.urgent = urgent
        self._room = room
        self._patience = patience or Patience()

    async def grow(self, megapixels: float) -> None:
        """Wait until this run may hold so many megapixels in all."""
        with self._patience.waiting():
            await self._room.take(self, megapixels)

    async def release(self) -> None:
        """The run is over."""
        await self._room.give_back(self)
