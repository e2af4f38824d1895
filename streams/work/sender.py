"""Announces what follows from the events of a topic: each event is sent until the broker has it."""

import asyncio
import random
import time
from collections.abc import Sequence

from observability import metrics
from observability.logs import log
from observability.tracing import sampled, traceparent
from streams.events import Event, ImageEnded, ImageEvent
from streams.topics import REJECTED
from streams.work.consuming import Subscription

TOGETHER = 100
"""Announcements of one event in flight at once: a slice announces up to 1,000 images."""


class Sender:
    """Sends beside one subscription.

    Parameters
    ----------
    subscription
        Whose producer is used.
    labels
        How metrics name the stage and the lane.
    """

    def __init__(self, subscription: Subscription, labels: tuple[str, str]) -> None:
        self._subscription = subscription
        self._labels = labels
        self._unsent: dict[object, float] = {}
        """Since when each event that failed to be sent is tried."""

    async def announce(self, events: Sequence[Event], parent: str = "") -> None:
        """Return when the broker has them all."""
        for first in range(0, len(events), TOGETHER):
            await asyncio.gather(*(self._send(event, parent) for event in events[first : first + TOGETHER]))
        metrics.ANNOUNCED.labels(*self._labels).inc(len(events))

    def failing(self, now: float) -> float:
        """For how many seconds an event could not be sent; 0 where all goes well."""
        return now - min(self._unsent.values(), default=now)

    def excuse(self, now: float) -> None:
        """A part is away: start all clocks again."""
        self._unsent = dict.fromkeys(self._unsent, now)

    async def _send(self, event: Event, parent: str) -> None:
        """Until the broker has it: giving up here would freeze the partition's commit."""
        wanted = sampled(parent)
        trace = traceparent(event.job, event.image, event.round, wanted) if isinstance(event, ImageEvent) else parent
        addresses = [event.address]
        if isinstance(event, ImageEnded) and event.outcome == "rejected":
            addresses.append(REJECTED)
        for address in addresses:
            await self._until_sent(address, event, trace or traceparent(event.job))

    async def _until_sent(self, address: str, event: Event, trace: str) -> None:
        this = object()
        try:
            while not await self._sent(address, event, trace):
                self._unsent.setdefault(this, time.monotonic())
                await asyncio.sleep(random.uniform(0.2, 1.0))
        finally:
            self._unsent.pop(this, None)

    async def _sent(self, address: str, event: Event, trace: str) -> bool:
        try:
            await self._subscription.send(address, event.key.encode(), event.encode(), trace)
        except Exception as error:
            log().warning("send_failed", topic=address, job=event.job, error=repr(error))
            return False
        return True
