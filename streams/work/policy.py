"""The one failure policy: whatever a stage raises, its event ends in events that are durable, or is tried again.

Rejected                          announced as rejected, at once
a part of the system is away      waited out; no attempt counts
something derived is missing      computed again, from the image's first event
a process dies on it, three times  rejected as killed
the model fails on everything     held, until somebody looks
anything else                     tried again with growing delay; then rejected
no event at all                   its bytes are quarantined where people can find them
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from inference.triton import ModelStumbled
from observability import metrics
from observability.logs import about, log
from observability.tracing import trace_id
from storage import keys
from storage.objects import StoreError
from streams import containment, metering
from streams.events import (
    Event,
    ImageEnded,
    ImageEvent,
    NewerEvent,
    NotAnEvent,
    TilePlanned,
    TilePredicted,
    UploadReceived,
    found_of,
)
from streams.failure import Rejected, is_derived, is_outage, verdict
from streams.intake import NoJob
from streams.jobs import ledger, markers
from streams.rejection import reject
from streams.stages import Stage, follow, labels
from streams.streak import MOST
from streams.tools import Tools
from streams.tracing import measuring
from streams.tracing.spent import Spent
from streams.unzip import condemn
from streams.work.tracker import Past
from streams.workshop import Hung

P = ParamSpec("P")
T = TypeVar("T")
ATTEMPTS = 4
QUICK = 2
"""Attempts before the image goes back to the end of its topic, where it holds no slot (rule 22)."""
HANGS = 2
SHORTAGES = 3
"""Of memory: a process shares it among its runs, so the one that meets the limit need not be the one that is large."""
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
    past: Past = Past.NONE
    """What may have become of it before. A suspect runs alone, under a marker."""

    @property
    def suspect(self) -> bool:
        """Whether somebody may have died on it."""
        return self.past is Past.SUSPECT

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it stands."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Answer:
    """The events that answer a message, with all they claim stored, and how many seconds to wait before saying so."""

    events: Sequence[Event] = ()
    after: float = 0.0


async def answer(stages: Sequence[Stage], message: Message, tools: Tools, spent: Spent | None = None) -> Answer:
    """What becomes of a message. Raises only `NewerEvent` and cancellation."""
    try:
        event = stages[0].takes.decode(message.value or b"")
    except NotAnEvent as why:
        await quarantine(message, str(why), tools)
        return Answer()
    except NewerEvent as why:
        if stages[0].takes is not UploadReceived:
            raise
        await quarantine(message, str(why), tools)  # anyone may write there; nobody may stop the reader
        return Answer()
    run = tools.for_run(event.lane, spent)
    measuring.of(event, run.spent)
    with about(**_subject(stages, event)):
        try:
            answered = await _persist(stages, event, message, run)
        finally:
            await run.share.release()
    if message.suspect:
        await asyncio.shield(_surely(tools, containment.end, tools.store, *message.place))
    if not answered.events:
        return answered
    events = [measuring.asked(each, run.spent, tools.since) for each in answered.events]
    return replace(answered, events=[measuring.told(each, run.spent) for each in events])


async def _persist(stages: Sequence[Stage], event: Event, message: Message, tools: Tools) -> Answer:
    attempt = _failed_before(event)
    while True:
        try:
            return Answer(await _once(stages, event, attempt, message, tools))
        except NoJob as why:
            await quarantine(message, str(why), tools)
            return Answer()
        except Exception as error:
            log().warning("stage_failed", attempt=attempt, error=repr(error))
            away = is_outage(error)
            metrics.RETRIES.labels(*labels(stages[0], event.lane), "outage" if away else "error").inc()
            if away:
                tools.outages.seen()
                with tools.timed("pause"):
                    await asyncio.sleep(_delay(0, outage=True))
                continue
            attempt += 1
            decided = await _decided(error, event, attempt, message, tools)
            if decided is not None:
                return decided
            tools.spent.attempt = attempt
            with tools.timed("pause"):
                await asyncio.sleep(_delay(attempt, outage=False))


async def _once(stages: Sequence[Stage], event: Event, attempt: int, message: Message, tools: Tools) -> Sequence[Event]:
    if isinstance(event, ImageEnded):
        return await _work(stages, event, attempt, tools)
    with tools.timed("look"):
        standing, known = await _known(event, message, tools)
    if standing:
        return []  # cancelled, held, ended or deleted: the sweeper knows what that means for its images
    if known is not None:
        return known
    if message.suspect:
        return await _alone(stages, event, attempt, message, tools)
    begun = tools.spent.now()
    async with tools.solitude.beside_others():
        tools.spent.since(begun)
        return await _work(stages, event, attempt, tools)


async def _known(event: Event, message: Message, tools: Tools) -> tuple[bool, Sequence[ImageEnded] | None]:
    """Whether something stands in the event's way, and what answers it where its image has ended already."""
    if why := await tools.fetch(tools.markers.standing, event):
        if why == "ended":
            await _clear(event, tools)
        return True, None
    found = found_of(event)
    if found and (found.again or message.past is not Past.NONE):
        known = await tools.fetch(tools.ends.answer, found)
        if known == []:
            await _clear(event, tools)
        return False, known
    return False, None


async def _clear(event: Event, tools: Tools) -> None:
    """A copy that came after its image's end was told left things in scratch, and nobody else comes by them.

    A later round has its tiles under the same keys, and removes them at its own end.
    """
    if not isinstance(event, TilePlanned | TilePredicted):
        return
    rounds = await tools.fetch(ledger.read_rounds, tools.store, event.job)
    if all(round_.round <= event.round for round_ in rounds):
        await tools.fetch(ledger.remove_scratch, tools.store, event.job, event.image)


async def _alone(
    stages: Sequence[Stage], event: Event, attempt: int, message: Message, tools: Tools
) -> Sequence[Event]:
    begun = tools.spent.now()
    before = await tools.fetch(containment.deaths, tools.store, *message.place)
    if before >= containment.DEATHS:
        raise Rejected("killed", f"{_name(event)}: the worker died on it {before} times, while it ran alone", before)
    async with tools.solitude.alone():
        found = found_of(event)
        if found and (known := await tools.fetch(ledger.ended, tools.store, found)):
            return [known]  # another copy of the event came to an end while this one waited
        try:
            await tools.fetch(containment.begin, tools.store, *message.place, before)
            tools.spent.since(begun)
            return await _work(stages, event, attempt, tools)
        except (Exception, asyncio.CancelledError):  # whoever gets here is alive
            await asyncio.shield(_surely(tools, containment.end, tools.store, *message.place, before))
            raise


async def _work(stages: Sequence[Stage], event: Event, attempt: int, tools: Tools) -> Sequence[Event]:
    async with tools.patience.limited(EVENT_SECONDS if isinstance(event, ImageEvent) else None):
        events = await follow(stages, event, tools)
        await _store(events, tools)
    found = found_of(event)
    for ended in events:
        if isinstance(ended, ImageEnded) and ended.outcome == "labelled" and found:
            tools.streaks.succeeded(found.model_digest)
            metering.ended(ended, attempt + 1)
            spent = {phase: round(seconds, 4) for phase, seconds in tools.spent.items()}
            log().info("image_labelled", seconds=spent)
    return events


async def _store(events: Sequence[Event], tools: Tools) -> None:
    with tools.timed("store"):
        for event in events:
            for key in event.claimed:
                note = measuring.note(event, tools.spent) if tools.claims.holds(key) else ""
                await tools.fetch(tools.claims.store, key, note)


async def _decided(error: Exception, event: Event, attempt: int, message: Message, tools: Tools) -> Answer | None:
    while True:
        try:
            return await _decide(error, event, attempt, message, tools)
        except StoreError:
            tools.outages.seen()
            await asyncio.sleep(_delay(0, outage=True))


async def _decide(error: Exception, event: Event, attempt: int, message: Message, tools: Tools) -> Answer | None:
    """What follows from a failure that is somebody's fault; none: another attempt, right here."""
    final = _give_up(error, event, attempt)
    if final and isinstance(event, UploadReceived):
        return Answer(await condemn(event, final, tools))
    if final:
        return await _rejected(event, final, attempt, message, tools)
    found = found_of(event)
    if found and (is_derived(error) or attempt >= QUICK):
        known = await tools.fetch(ledger.ended, tools.store, found)
        again = found.model_copy(update={"again": True, "attempt": attempt})
        return Answer([known or again], _delay(attempt, outage=False))
    if attempt >= HOPELESS:
        await quarantine(message, f"failed {attempt} times, last with {error!r}", tools)
        return Answer()
    return None


def _give_up(error: Exception, event: Event, attempt: int) -> Rejected | None:
    name = _name(event)
    final = verdict(error, name)
    if final is not None:
        return final
    if isinstance(error, MemoryError) and attempt >= SHORTAGES:
        return Rejected("too_large", f"{name} needs more memory than a worker has")
    if found_of(event) is None:
        return None
    if isinstance(error, Hung) and attempt >= HANGS:
        return Rejected("timeout", f"{name}: {error}, {attempt} times")
    if attempt < (HOPELESS if is_derived(error) else ATTEMPTS):
        return None
    if isinstance(error, ModelStumbled):
        return Rejected("model_error", f"{name}: {error}")
    if isinstance(error, TimeoutError):
        return Rejected("timeout", f"{name} was not finished in {EVENT_SECONDS:.0f} s, {attempt} times")
    return Rejected("infrastructure", f"{name} failed {attempt} times, last with {type(error).__name__}: {error}")


async def _rejected(event: Event, why: Rejected, attempt: int, message: Message, tools: Tools) -> Answer:
    found = found_of(event)
    if found and why.reason == "model_error" and tools.streaks.failed(found.model_digest):
        failed = f"it failed on {MOST} images in a row, the last time with: {why.message}"
        await tools.fetch(markers.hold, tools.store, f"model/{found.model_digest}", failed)
        log().error("model_held", model=found.model, why=why.message)
        return Answer()
    ended = reject(event, why, tools.claims, why.attempts or attempt, message.traceparent)
    await _store([ended], tools)
    log().info("image_rejected", reason=why.reason, message=why.message)
    return Answer([ended])


async def quarantine(message: Message, why: str, tools: Tools) -> None:
    """Put a message that can't be answered where people find it."""
    key = keys.quarantine(*message.place)
    metrics.QUARANTINED.inc()
    log().warning("message_quarantined", key=key, why=why)
    await _surely(tools, tools.store.put, key, message.value or b"")


async def _surely(tools: Tools, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the work returns, however long the store is away."""
    while True:
        try:
            return await tools.fetch(work, *args, **kwargs)
        except StoreError:
            tools.outages.seen()
            await asyncio.sleep(_delay(0, outage=True))


def _subject(stages: Sequence[Stage], event: Event) -> dict[str, object]:
    """What log lines of a run are about."""
    known: dict[str, object] = {
        "stage": "+".join(stage.name for stage in stages),
        "lane": str(event.lane),
        "job": event.job,
    }
    if not isinstance(event, ImageEvent):
        return known
    trace = trace_id(event.job, event.image, event.round)
    return {**known, "image": event.image, "trace": f"{trace:032x}"}


def _failed_before(event: Event) -> int:
    found = found_of(event)
    return found.attempt if found else 0


def _name(event: Event) -> str:
    return getattr(found_of(event) or event, "name", "") or event.job


def _delay(attempt: int, outage: bool) -> float:
    longest = OUTAGE_DELAY if outage else min(LONGEST_DELAY, 0.2 * 2**attempt)
    return longest * random.uniform(0.5, 1.0)
