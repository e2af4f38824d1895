"""The one failure policy: whatever a stage raises, its event ends in events that are durable, or is tried again.

Rejected                          announced as rejected, at once
a part of the system is away      waited out; no attempt counts
something derived is missing      computed again, from the image's first event
anything else                     tried again with growing delay; then rejected
no event at all                   its bytes are quarantined where people can find them
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from inference.triton import ModelStumbled
from observability.logs import log
from storage import keys
from storage.objects import StoreError
from streams import ledger
from streams.events import Event, ImageEnded, ImageEvent, NewerEvent, NotAnEvent, UploadReceived, found_of
from streams.failure import Rejected, is_derived, is_outage, verdict
from streams.intake import NoJob
from streams.rejection import reject
from streams.stages import Stage, follow
from streams.tools import Tools

ATTEMPTS = 4
HOPELESS = 12
"""After so many attempts at what speaks of no image that could be rejected, the message itself is set aside."""
EVENT_SECONDS = 300.0
"""One attempt at one event: the slowest honest one (64 megapixels) takes a tenth of it."""
LONGEST_DELAY = 5.0
OUTAGE_DELAY = 2.0


@dataclass(frozen=True, slots=True)
class Message:
    """A record as it came from Kafka."""

    topic: str
    partition: int
    offset: int
    value: bytes
    traceparent: str = ""


async def answer(stages: Sequence[Stage], message: Message, tools: Tools) -> list[Event]:
    """The events that answer a message, with all they claim stored. Raises only `NewerEvent` and cancellation."""
    try:
        event = stages[0].takes.decode(message.value or b"")
    except NotAnEvent as why:
        await quarantine(message, str(why), tools)
        return []
    except NewerEvent as why:
        if stages[0].takes is not UploadReceived:
            raise
        await quarantine(message, str(why), tools)  # anyone may write there; nobody may stop the reader
        return []
    run = tools.for_run()
    try:
        return await _persist(stages, event, message, run)
    finally:
        await run.share.release()


async def _persist(stages: Sequence[Stage], event: Event, message: Message, tools: Tools) -> list[Event]:
    attempt = 0
    while True:
        try:
            async with asyncio.timeout(EVENT_SECONDS if isinstance(event, ImageEvent) else None):
                return await _once(stages, event, tools)
        except NoJob as why:
            await quarantine(message, str(why), tools)
            return []
        except Exception as error:
            outage = is_outage(error) or tools.share.waiting
            attempt += not outage
            final = _give_up(error, event, attempt)
            log().warning("stage_failed", stage=stages[0].name, job=event.job, attempt=attempt, error=repr(error))
            if final is not None:
                return await _rejected(event, final, attempt, message, tools)
            if is_derived(error) and (found := found_of(event)):
                known = await tools.fetch(ledger.ended, tools.store, found)
                return [known or found]
            if attempt >= HOPELESS:
                await quarantine(message, f"failed {attempt} times, last with {error!r}", tools)
                return []
            await asyncio.sleep(_delay(attempt, outage))


async def _once(stages: Sequence[Stage], event: Event, tools: Tools) -> list[Event]:
    events = await follow(stages, event, tools)
    with tools.timed("store"):
        await _store(events, tools)
    for ended in events:
        if isinstance(ended, ImageEnded) and ended.outcome == "labelled":
            spent = {phase: round(seconds, 4) for phase, seconds in tools.spent.items()}
            log().info("image_labelled", job=ended.job, image=ended.image, seconds=spent)
    return events


async def _store(events: Sequence[Event], tools: Tools) -> None:
    for event in events:
        for key in event.claimed:
            await tools.fetch(tools.claims.store, key)


def _give_up(error: Exception, event: Event, attempt: int) -> Rejected | None:
    name = getattr(found_of(event) or event, "name", "") or event.job
    final = verdict(error, name)
    if final is not None:
        return final
    if attempt < ATTEMPTS or found_of(event) is None:
        return None
    if isinstance(error, ModelStumbled):
        return Rejected("model_error", f"{name}: {error}")
    if isinstance(error, TimeoutError):
        return Rejected("timeout", f"{name} was not finished in {EVENT_SECONDS:.0f} s, {attempt} times")
    return Rejected("infrastructure", f"{name} failed {attempt} times, last with {type(error).__name__}: {error}")


async def _rejected(event: Event, why: Rejected, attempt: int, message: Message, tools: Tools) -> list[Event]:
    ended = reject(event, why, tools.claims, attempt, message.traceparent)
    while True:
        try:
            await _store([ended], tools)
        except StoreError:
            await asyncio.sleep(_delay(0, outage=True))
        else:
            log().info("image_rejected", job=ended.job, image=ended.image, reason=why.reason, message=why.message)
            return [ended]


async def quarantine(message: Message, why: str, tools: Tools) -> None:
    """Put a message that can't be answered where people find it."""
    key = keys.quarantine(message.topic, message.partition, message.offset)
    log().warning("message_quarantined", key=key, why=why)
    while True:
        try:
            await tools.fetch(tools.store.put, key, message.value or b"")
        except StoreError:
            await asyncio.sleep(_delay(0, outage=True))
        else:
            return


def _delay(attempt: int, outage: bool) -> float:
    longest = OUTAGE_DELAY if outage else min(LONGEST_DELAY, 0.2 * 2**attempt)
    return longest * random.uniform(0.5, 1.0)
