"""One topic in one lane, read by one chain: what is in flight, what is committed, and what stands still.

An event is taken on before anything is awaited, and begun only when the broker knows; its results are durable, then
announced; only then does the commit position pass it (rules 16 and 21).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from observability import metrics
from observability.logs import log
from observability.tracing import sampled
from streams import metering, stages
from streams.events import Lane, NewerEvent
from streams.stages import Stage
from streams.tools import Tools
from streams.tracing.spent import Spent, Taken
from streams.work import policy
from streams.work.consuming import RELEASED, TP, Delivery, Subscription
from streams.work.sender import TOGETHER, Sender
from streams.work.tracker import Entry, Mark, Order, Past, Tracker
from streams.work.waiting import Waiting

AHEAD = 256
"""Events taken on and not begun yet: enough to see the first of every partition."""
MARK_SECONDS = 0.01
"""Between two commits: whatever begins meanwhile shares the next one."""
STALL_SECONDS = 120.0
"""Nothing moves for so long, though something should."""
FROZEN_SECONDS = 4 * policy.EVENT_SECONDS
PAUSE_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class _Run:
    """One event being worked on. It may be delivered again while it runs; the newest entry is the one that counts."""

    tp: TP
    entry: Entry
    begun: float = field(default_factory=time.monotonic)
    """When its clock was started: again where a part was away."""
    since: float = field(default_factory=time.monotonic)
    """When it got its slot."""
    spent: Spent = field(default_factory=Spent)


class LaneOfWork:
    """One topic in one lane, read by one chain: its app, its tracker, its slots."""

    def __init__(
        self, chain: Sequence[Stage], lane: Lane | None, tools: Tools, by: str, bootstrap: str, slots: int
    ) -> None:
        self.chain = chain
        self.topic = stages.topic(chain[0], lane)
        self.labels = stages.labels(chain[0], lane)
        self.by = by
        self._lane = lane
        self.tracker: Tracker[TP] = Tracker()
        self.ready = False
        self.draining = False
        self.running: set[asyncio.Task[None]] = set()
        self._tools = tools
        self._slots = asyncio.Semaphore(slots)
        self._waiting: Waiting[TP, tuple[Delivery, Entry]] = Waiting(AHEAD)
        self._giving_out: asyncio.Task[None] | None = None
        self._runs: dict[tuple[TP, int], _Run] = {}
        self._sought: dict[TP, tuple[int, int]] = {}
        self._marked: dict[TP, Mark] = {}
        self._marking = asyncio.Lock()
        self._stopped = False
        self._moved = time.monotonic()
        group = stages.group(chain[0], lane)
        self.subscription = Subscription(group, bootstrap, min(64, 2 * slots + 4), chain[0].fetch_bytes, self)
        self.sender = Sender(self.subscription, self.labels)

    def starts_at(self, tp: TP, offset: int) -> None:
        """The group has committed this offset of the partition: it comes next."""
        self.tracker.seed(tp, offset)

    def inherits(self, tp: TP, mark: Mark) -> None:
        """The partition's last owner had written this."""
        if mark.suspects > mark.offset:
            log().info("taken_over", topic=self.topic, partition=tp.partition, at=mark.offset, until=mark.suspects)
        self.tracker.inherit(tp, mark)

    def lost(self, partitions: set[TP]) -> None:
        """These partitions are no longer ours."""
        self.ready = False
        self._moved = time.monotonic()
        self.tracker.reset(partitions)
        self._waiting.drop(partitions)
        for tp in partitions:
            self._marked.pop(tp, None)
        self._tools.fanin.forget()
        self._tools.tallies.forget()

    def found(self) -> None:
        """Partitions are ours, or none are to be had: more workers than partitions is healthy (rule 23)."""
        self.ready = True
        self._moved = time.monotonic()

    async def commit(self) -> bool:
        """Tell the broker what is finished and what was begun; everybody who waits is served by one commit."""
        async with self._marking:
            marks = {tp: mark for tp, mark in self.tracker.marks().items() if self._marked.get(tp) != mark}
            if not marks:
                return True
            written = await self.subscription.write_marks(marks, self.by)
            if written:
                self._marked.update(marks)
            await asyncio.sleep(MARK_SECONDS)
            return written

    async def release(self) -> None:
        """Tell the broker what is finished, and that nobody died on the rest."""
        async with self._marking:
            await self.subscription.write_marks(self.tracker.releases(), RELEASED)

    def stall(self, now: float) -> str:
        """What stands still here although it should not; empty when all is well."""
        if (failing := self.sender.failing(now)) > STALL_SECONDS:
            return f"{self.topic}: an event can't be sent for {failing:.0f} s"
        if self._stopped or now - self._moved < STALL_SECONDS:
            return ""
        if not self.ready:
            return f"{self.topic}: no assignment for {now - self._moved:.0f} s"
        oldest = min((run.begun for run in self._runs.values()), default=now)
        if now - oldest > FROZEN_SECONDS:
            return f"{self.topic}: an event has been worked on for {now - oldest:.0f} s, and holds the commit position"
        if not self._runs and not len(self._waiting) and self.tracker.backlog(self.subscription.end):
            return f"{self.topic}: there is backlog, and nothing was delivered for {now - self._moved:.0f} s"
        return ""

    @property
    def in_flight(self) -> int:
        """Events that are being worked on."""
        return len(self._runs)

    @property
    def waiting(self) -> int:
        """Events taken on that wait for a slot."""
        return len(self._waiting)

    def oldest(self, now: float) -> float:
        """For how many seconds the oldest event in flight has been worked on; may be asked in any thread."""
        return max((now - run.since for run in list(self._runs.values())), default=0.0)

    def excuse(self, now: float) -> None:
        """A part is away: start all clocks again."""
        self._moved = now
        self.sender.excuse(now)
        for run in self._runs.values():
            run.begun = now

    async def take(self, deliveries: AsyncIterator[Delivery]) -> None:
        """Take on all that come, a little ahead of the slots, so that what has to go first is there to be chosen."""
        self._giving_out = self._giving_out or asyncio.create_task(self._give_out())
        async for delivery in deliveries:
            self._moved = time.monotonic()
            entry = await self._taken(delivery.tp, delivery.offset)
            if entry is None:
                continue
            metrics.TAKEN.labels(*self.labels).inc()
            known = self._runs.get((delivery.tp, delivery.offset))
            if known is not None:
                known.entry = entry  # delivered again, and still at work here (rule 23)
                self.tracker.begin(delivery.tp, delivery.offset)
                continue
            first = self.tracker.past(delivery.tp, delivery.offset) is not Past.NONE
            await self._waiting.put(delivery.tp, (delivery, entry), first)

    async def _give_out(self) -> None:
        while True:
            await self._slots.acquire()
            if self._lane is Lane.BULK:
                await self._tools.courtesy.step_back()
            delivery, entry = await self._waiting.get()
            if self.draining:
                return
            run = self._runs[delivery.tp, delivery.offset] = _Run(delivery.tp, entry)
            self.tracker.begin(delivery.tp, delivery.offset)
            task = asyncio.create_task(self._work(delivery, run))
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def _taken(self, tp: TP, offset: int) -> Entry | None:
        order = self.tracker.order(tp, offset)
        if order is Order.AGAIN:
            return None
        if order is Order.GAP and not await self._truncated(tp, offset):
            return None
        return self.tracker.take(tp, offset)

    async def _truncated(self, tp: TP, offset: int) -> bool:
        """Whether the log really begins only here; if not, what was skipped is fetched again."""
        expected = self.tracker.expected(tp)
        if await self.subscription.earliest(tp) > expected:
            log().warning("log_truncated", topic=self.topic, partition=tp.partition, expected=expected, got=offset)
            return True
        sought = self._sought.get(tp)
        if sought == (expected, offset):
            log().warning("gap_accepted", topic=self.topic, partition=tp.partition, expected=expected, got=offset)
            return True  # read again from there, and the same comes: a transaction's marker, or a compacted log
        if sought is None or sought[0] != expected or offset < sought[1]:  # what came first was fetched long before
            self._sought[tp] = (expected, offset)
            log().warning("gap_sought_back", topic=self.topic, partition=tp.partition, expected=expected, got=offset)
            await self.subscription.seek(tp, expected)
        return False

    async def _work(self, delivery: Delivery, run: _Run) -> None:
        tp, offset, parent = delivery.tp, delivery.offset, delivery.traceparent
        slot = contextlib.ExitStack()
        slot.callback(self._slots.release)
        if self._lane is Lane.INTERACTIVE:
            slot.enter_context(self._tools.courtesy.urgent())
        try:
            spent = run.spent = self._measuring(delivery)
            with spent.timed("wait"):
                noted = await self._noted(run)
            if not noted:
                return
            past = self.tracker.past(tp, offset)
            message = policy.Message(tp.topic, tp.partition, offset, delivery.value, parent, past)
            answer = await self._answered(message, spent)
            if len(answer.events) <= TOGETHER:
                slot.close()  # with more, all events at once would fill the memory and keep the loop from all else
            await asyncio.sleep(answer.after)
            with spent.timed("announce"):
                await self.sender.announce(answer.events, parent)
            if self._tools.traces:
                await self._tools.traces.tell_run(answer.events, spent)
            self.tracker.finish(tp, run.entry)
            self._moved = time.monotonic()
            metering.finished(self.labels, run.spent, self._moved - run.since)
        except NewerEvent as why:
            log().error("event_newer_than_program", topic=self.topic, why=str(why))
            self._stopped = True
            await asyncio.Event().wait()  # keeps its slot and its offset: this app goes no further
        finally:
            slot.close()
            del self._runs[tp, offset]

    def _measuring(self, delivery: Delivery) -> Spent:
        if self._tools.traces is None or not sampled(delivery.traceparent):
            return Spent()
        return Spent(Taken("+".join(stage.name for stage in self.chain), self.by, delivery.sent))

    async def _answered(self, message: policy.Message, spent: Spent) -> policy.Answer:
        """Whatever happens: an event without an answer would hold the commit position for ever."""
        while True:
            try:
                return await policy.answer(self.chain, message, self._tools, spent)
            except NewerEvent:
                raise
            except Exception as error:
                log().error("policy_failed", topic=self.topic, offset=message.offset, error=repr(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _noted(self, run: _Run) -> bool:
        """Whether the broker knows that this event was begun; if not, the partition was lost before."""
        if not self.chain[0].may_kill:
            return True
        while True:
            mark = self.tracker.marks().get(run.tp)
            if mark is None or mark.suspects <= run.entry.offset:
                return False
            known = self._marked.get(run.tp)
            if known is not None and known.suspects > run.entry.offset:
                return True
            if not await self.commit():
                await asyncio.sleep(0.2)
