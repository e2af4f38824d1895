"""Fetches and decodes images: within this process, or in processes of their own, which some images kill."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Protocol

from storage.images import Image, read_image
from storage.objects import Store
from storage.sources import read_source
from storage.unreadable import reading
from streams.decoders import wire
from streams.decoders.forkserver import Child, Died, ForkServer
from streams.decoders.wire import Told, Wanted
from streams.events import Lane
from streams.patience import Patience
from streams.tracing.spent import Spent
from streams.workshop import THREADS, Workshop


class Decoder(Protocol):
    """Reads images."""

    @property
    def overdue(self) -> bool:
        """Whether there is nobody to read an image, for so long that a new worker does better."""

    async def read(self, wanted: Wanted, lane: Lane, spent: Spent, patience: Patience) -> Image:
        """Fetch an image's file and decode it; counts the seconds to the phases `wait`, `fetch` and `decode`.

        The run's clock stands still until somebody is free to read. Raises what `read_source` and `read_image` raise,
        `Hung`, and `Died` where it killed the process that read it.
        """

    def rest(self) -> None:
        """The worker drains: from here on, a death tells nothing about an image."""

    def close(self) -> None:
        """Leave no process behind."""


class InProcess:
    """Reads in threads of this process: for tests and notebooks. What kills the reader kills them all.

    Parameters
    ----------
    store
        Where images lie.
    workshop
        Where they are decoded.
    """

    def __init__(self, store: Store, workshop: Workshop) -> None:
        self._store = store
        self._workshop = workshop

    @property
    def overdue(self) -> bool:
        """Never: it reads itself."""
        return False

    async def read(self, wanted: Wanted, lane: Lane, spent: Spent, patience: Patience) -> Image:
        """See `Decoder`."""
        with spent.timed("fetch"):
            data = await asyncio.to_thread(read_source, self._store, wanted, wanted.name)
        with spent.timed("decode"), reading(arrived=wanted.crc is not None):
            return await self._workshop.run(lane, partial(read_image, data, wanted.name, wanted.channel))

    def rest(self) -> None:
        """Nobody can die here and tell of it."""

    def close(self) -> None:
        """There are no processes."""


class Apart:
    """Reads in processes of their own, as many for each lane as would compute there.

    Parameters
    ----------
    server
        Forks them, when they are first needed.
    """

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._rooms = {lane: asyncio.Semaphore(count) for lane, count in THREADS.items()}
        self._idle: dict[Lane, list[Child]] = defaultdict(list)
        self._resting = False

    @property
    def overdue(self) -> bool:
        """See `Decoder`."""
        return self._server.overdue

    async def read(self, wanted: Wanted, lane: Lane, spent: Spent, patience: Patience) -> Image:
        """See `Decoder`."""
        told = await self._told(wanted, lane, spent, patience)
        if "error" in told.words:
            raise wire.error(told.words)
        return wire.image(told)

    def rest(self) -> None:
        """See `Decoder`."""
        self._resting = True

    def close(self) -> None:
        """End all processes."""
        for children in self._idle.values():
            while children:
                children.pop().end()
        self._server.close()

    async def _told(self, wanted: Wanted, lane: Lane, spent: Spent, patience: Patience) -> Told:
        while True:
            try:
                async with self._lent(lane, spent, patience) as child:
                    return await _read(child, wanted, spent)
            except Died:
                if self._resting:
                    await asyncio.Event().wait()  # the drain abandons it, and whoever comes next tries again
                if not child.orphaned:
                    raise  # else they all died, of something else

    @asynccontextmanager
    async def _lent(self, lane: Lane, spent: Spent, patience: Patience) -> AsyncIterator[Child]:
        async with AsyncExitStack() as room:
            with spent.timed("wait"), patience.waiting():
                await room.enter_async_context(self._rooms[lane])
                child = await self._awake(lane)
            try:
                yield child
            except BaseException:
                child.end()  # it may be in the middle of something, for ever
                raise
            self._idle[lane].append(child)

    async def _awake(self, lane: Lane) -> Child:
        idle = self._idle[lane]
        while idle:
            child = idle.pop()
            if child.alive:
                return child
            child.end()
        return await self._server.fork()


async def _read(child: Child, wanted: Wanted, spent: Spent) -> Told:
    """What a child tells of an image. The time until it began is spent waiting, and that until it died decoding."""
    asked = spent.now()
    try:
        fetch, told = await child.read(wanted)
    except BaseException:
        spent.since(asked, "decode")
        raise
    rest = (spent.now() - asked) / 1e9 - fetch
    spent.told(asked, fetch=fetch, decode=told.words.get("decode", max(0.0, rest)))
    return told
