"""Which event killed the worker? Only a death while alone counts (rule 21).

After a death, the events that were in flight are run one at a time, nothing beside them, each under a marker in the
bucket that says one death more than there were. When the event ends, it is taken away; when it fails or is abandoned,
it says again what it said before: nobody died. So what a marker says after a death is true of that very event.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage import keys
from storage.objects import NotFound, Store

DEATHS = 3
"""So often a worker may die on an event while it runs alone, or a decoder on an image; then that is `killed`."""


class Solitude:
    """Events run beside one another, or one alone in the process; who wants to be alone goes first."""

    def __init__(self) -> None:
        self._beside = 0
        self._alone = False
        self._wanted = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def beside_others(self) -> AsyncIterator[None]:
        """Wait while somebody is alone, or waits to be."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone and not self._wanted)
            self._beside += 1
        try:
            yield
        finally:
            self._beside -= 1
            await self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Wait until nothing else runs."""
        self._wanted += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._alone and not self._beside)
                self._alone = True
        finally:
            self._wanted -= 1
            await self._tell()
        try:
            yield
        finally:
            self._alone = False
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def deaths(store: Store, topic: str, partition: int, offset: int) -> int:
    """How often a worker died on this event while it ran alone."""
    try:
        return int(store.get(keys.alone(topic, partition, offset)))
    except (NotFound, ValueError):
        return 0


def begin(store: Store, topic: str, partition: int, offset: int, before: int) -> None:
    """From here on a death counts."""
    store.put(keys.alone(topic, partition, offset), str(before + 1).encode())


def end(store: Store, topic: str, partition: int, offset: int, before: int = 0) -> None:
    """From here on a death doesn't count: `before` deaths did, none where the event has ended."""
    if before:
        store.put(keys.alone(topic, partition, offset), str(before).encode())
    else:
        store.delete([keys.alone(topic, partition, offset)])
