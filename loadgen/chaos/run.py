"""One run: a quiet load, the same load under faults, and the verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from loadgen.chaos import load
from loadgen.chaos.commits import Acknowledged, acknowledged
from loadgen.chaos.completions import Completions
from loadgen.chaos.holdings import Holdings
from loadgen.chaos.images import Archive, Nature, write_archive
from loadgen.chaos.injecting import Injector, Pace
from loadgen.chaos.judge import Verdict, ends, judge
from loadgen.chaos.load import Job, Stuck
from loadgen.chaos.plan import Plan, Teller
from loadgen.chaos.poison import Killers
from loadgen.chaos.records import Records
from loadgen.chaos.report import Report
from loadgen.chaos.schedule import schedule
from loadgen.chaos.stack import Stack
from loadgen.chaos.verified import Traced, traced, verify
from loadgen.chaos.world import World
from loadgen.topics import KafkaTopics, TopicsAway

FEW = 12
"""Images of the small jobs that are submitted beside the large one; one of them is damaged."""
SOME = 24
"""Images of jobs that are just large enough to be announced in slices."""
_SPREAD = 0.95
"""Faults come while so much of the load is worked on."""


@dataclass(slots=True)
class Run:
    """The pieces of one run, and its jobs."""

    plan: Plan
    stack: Stack
    teller: Teller
    main: Archive
    few: Archive
    some: Archive
    records: Records
    completions: Completions = field(default_factory=Completions)
    quiet: list[Job] = field(default_factory=list)
    disturbed: list[Job] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    deaths: Counter[int] = field(default_factory=Counter)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = self._world()

    async def quietly(self) -> None:
        """A few images to warm up, then all, undisturbed; watched as later, because watching costs something, too."""
        self.stack.store.rules.append(self.world.holdings)
        for archive in (self.few, self.some, self.main):
            self.quiet.append(job := await load.submit(self.stack, archive))
            self.world.holdings.watch(job.job)
            await self._finish(job)

    async def disturb(self) -> Injector:
        """The same images again, under faults."""
        self.stack.store.rules.append(
            Killers(self.world.holdings, self.main.path.name, self.main.of(Nature.KILLER), self.deaths)
        )
        for _ in range(self.plan.jobs):
            self.world.holdings.watch((await self._submit(self.main)).job)
        injector = Injector(self.world, self._pace(), self.teller.fault)
        faults = schedule(self.plan.kinds, self.plan.faults, self.plan.seed)
        injecting = asyncio.create_task(injector.inject(faults))
        preempting = asyncio.create_task(injector.preempt(self.plan.preempt_every)) if self.plan.preempt_every else None
        try:
            await self._work_until(injecting, preempting)
        finally:
            for task in (injecting, preempting):
                if task:
                    task.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await task
        return injector

    async def _work_until(self, injecting: "asyncio.Task[None]", preempting: "asyncio.Task[None] | None") -> None:
        for job in self.disturbed[: self.plan.jobs]:
            await self._finish(job)
        if preempting:
            preempting.cancel()
        while not injecting.done():
            job = await self._submit(self.main if self.plan.minutes else self.few)
            self.world.holdings.watch(job.job)
            await self._finish(job)
        await injecting
        with suppress(TimeoutError):
            await self.stack.ready()
        for job in [each for each in self.disturbed if not each.ended]:
            await self._finish(job)

    def verdict(self) -> Verdict:
        """What became of the images of all disturbed jobs."""
        labels = [ends(self.stack.objects, job.job).labels for job in self.quiet]
        references = dict(zip((job.archive.path for job in self.quiet), labels, strict=True))
        total = Verdict()
        for job in self.disturbed:
            found = ends(self.stack.objects, job.job)
            total.add(judge(job.job, found, job.archive, references[job.archive.path]))
        return total

    async def _finish(self, job: Job) -> None:
        tell = partial(self.teller.count, of=len(job.archive.members))
        try:
            await load.finish(job, self.stack, self.completions, tell, self.plan.patience)
        except Stuck as why:
            job.ended = time.monotonic()
            self.troubles.append(str(why))

    async def _submit(self, archive: Archive) -> Job:
        job = await load.submit(self.stack, archive)
        self.disturbed.append(job)
        return job

    async def _submit_few(self) -> None:
        await self._submit(self.few)

    async def _submit_some(self) -> None:
        await self._submit(self.some)

    def _pace(self) -> Pace:
        count = max(1, self.plan.faults)
        if self.plan.minutes:
            return Pace(0.0, _SPREAD * 60 * self.plan.minutes / count)
        return Pace(_SPREAD * self.plan.images / count, 0.0)

    def _world(self) -> World:
        numbers = {
            (archive.path.name, member.offset): number
            for archive in (self.main, self.few, self.some)
            for number, member in enumerate(archive.members)
        }

        def number(key: str, start: int) -> int | None:
            return numbers.get((key.rsplit("/", 1)[-1], start))

        holdings = Holdings(self.stack, self.completions, number)
        return World(
            stack=self.stack,
            records=self.records,
            completions=self.completions,
            holdings=holdings,
            random=Random(self.plan.seed),
            submit_few=self._submit_few,
            submit_some=self._submit_some,
        )


async def run(plan: Plan, folder: Path, teller: Teller) -> Report:
    """Start a stack in a folder, run the load quietly and under faults, judge, and stop the stack.

    Parameters
    ----------
    plan
        What to run.
    folder
        For the archives and the stack's state; stays.
    teller
        Hears how far it is.
    """
    teller.say(f"writing {plan.archived:,} images")
    main = await asyncio.to_thread(write_archive, folder / "main.zip", plan.archived, plan.side, plan.seed, plan.poison)
    few = await asyncio.to_thread(write_archive, folder / "few.zip", FEW, plan.side, plan.seed + 1, 1 / FEW)
    some = await asyncio.to_thread(write_archive, folder / "some.zip", SOME, plan.side, plan.seed + 2, 0.0)
    stack = Stack(folder / "state", plan.workers, plan.supervisor, observed=plan.traces)
    try:
        teller.say("starting a Monolayer of its own")
        await stack.start(teller.say)
        return await _run(plan, stack, (main, few, some), teller)
    finally:
        await asyncio.shield(stack.stop())


async def _run(plan: Plan, stack: Stack, archives: tuple[Archive, Archive, Archive], teller: Teller) -> Report:
    records = Records(stack.environment["MONOLAYER_KAFKA"])
    this = Run(plan, stack, teller, *archives, records)
    records.listeners += [this.completions.hear, this.world.holdings.hear]
    records.open()
    try:
        teller.say("undisturbed")
        await this.quietly()
        teller.say("under faults")
        injector = await this.disturb()
    finally:
        await asyncio.to_thread(records.close)
    teller.say("checking")
    verified = await verify(stack.environment)
    verdict = await asyncio.to_thread(this.verdict)
    told = await _traced(this) if plan.traces else None
    return _report(this, injector, verified, verdict, await asyncio.to_thread(_acknowledged, this), told)


async def _traced(this: Run) -> Traced | None:
    told = await traced(this.stack.environment, [job.job for job in this.disturbed])
    if told is None:
        this.troubles.append("`loadgen verify --traces` gave no answer.")
    return told


def _acknowledged(this: Run) -> Acknowledged:
    try:
        with KafkaTopics(this.stack.environment["MONOLAYER_KAFKA"]) as topics:
            return acknowledged(topics)
    except TopicsAway as why:
        this.troubles.append(str(why))
        return Acknowledged()


def _report(
    this: Run,
    injector: Injector,
    verified: "dict[str, object] | None",
    verdict: Verdict,
    followed: Acknowledged,
    told: Traced | None,
) -> Report:
    loaded = [(job.begun, job.ended) for job in this.disturbed]
    mains = [job for job in this.disturbed if job.archive is this.main]
    if verified is None:
        this.troubles.append("`loadgen verify` gave no answer.")
    return Report(
        seed=this.plan.seed,
        verdict=verdict,
        measured=this.world.measured,
        injected=injector.recoveries(loaded),
        not_met=injector.not_met,
        jobs=[job.job for job in this.disturbed],
        images_per_second=_rate(mains),
        undisturbed_images_per_second=_rate(this.quiet[-1:]),
        verified=verified,
        acknowledged=followed,
        deaths=this.deaths,
        troubles=[*this.troubles, *injector.failed],
        traced=told,
    )


def _rate(jobs: Sequence[Job]) -> float:
    """Images per second while at least one of the jobs was under way; they ended in their order."""
    seconds, until = 0.0, 0.0
    for job in jobs:
        seconds += max(0.0, job.ended - max(job.begun, until))
        until = max(until, job.ended)
    return sum(len(job.archive.members) for job in jobs) / seconds if seconds else 0.0
