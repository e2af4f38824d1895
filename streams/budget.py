"""Work in flight is bounded in megapixels, not in images."""

import asyncio


class Budget:
    """So many megapixels at once. A larger image runs alone.

    Whoever holds nothing yet waits in line, so that a large image is not passed for ever by small ones; whoever holds
    something grows before the line, and the oldest holder never waits, so that two can't wait for one another.
    """

    def __init__(self, megapixels: float) -> None:
        self.megapixels = megapixels
        self._taken: dict[Share, float] = {}
        self._line: list[Share] = []
        self._changed = asyncio.Condition()

    async def take(self, share: "Share", megapixels: float) -> None:
        """Wait until this share may be so large (never smaller than it is)."""
        async with self._changed:
            if share not in self._taken:
                self._line.append(share)
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
        return oldest or others + megapixels <= self.megapixels


class Share:
    """What one run has taken of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.waiting = False
        """Whether the run waits for room, or was waiting when it was cut off: no fault of its own."""

    async def grow(self, megapixels: float) -> None:
        """Wait until this run may hold so many megapixels in all."""
        self.waiting = True
        await self._budget.take(self, megapixels)
        self.waiting = False

    async def release(self) -> None:
        """The run is over."""
        await self._budget.give_back(self)
