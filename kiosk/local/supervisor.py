"""Keep processes running: start them in order, ask each whether it works, replace what died or hangs, stop them all."""

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Literal

from kiosk.local.process import Broken, Pace, Process, bound_to_parent
from kiosk.local.state import rotate

Phase = Literal["starting", "ready", "restarting", "stopped"]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Kept:
    """A process as it is now."""

    process: Process
    phase: Phase = "starting"
    pid: int | None = None
    created: float = 0.0
    restarts: int = 0
    since: float = field(default_factory=time.time)
    error: str | None = None
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    running: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps processes running until it is told to stop.

    Parameters
    ----------
    processes
        What to keep.
    report
        Called after every change; `kept` has the news.
    prepare
        Called in a thread when those with the lowest `start` are ready, before the others start; tried again until
        it raises nothing.
    pace
        How fast.
    """

    def __init__(
        self,
        processes: Iterable[Process],
        report: Callable[["Supervisor"], None],
        prepare: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        self.kept = [Kept(process) for process in processes]
        self.prepared = False
        self.error: str | None = None
        self._report = report
        self._prepare = prepare
        self._pace = pace or Pace()
        self._threads = ThreadPoolExecutor(max_workers=2 * len(self.kept) + 1, thread_name_prefix="probe")

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, keep it running, and stop everything.

        Parameters
        ----------
        stop
            Set by the caller when it is enough.
        """
        starting, stopping = asyncio.create_task(self._start_all()), asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                tasks = [starting, *(kept.task for kept in self.kept if kept.task)]
                broken = next((task for task in tasks if task.done() and task.exception()), None)
                if broken:
                    await broken
                unfinished = [task for task in tasks if not task.done()]
                await asyncio.wait([stopping, *unfinished], timeout=1, return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
            stopping.cancel()
            await self._stop_all()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _start_all(self) -> None:
        first = min((kept.process.start for kept in self.kept), default=0)
        for number in sorted({kept.process.start for kept in self.kept}):
            together = [kept for kept in self.kept if kept.process.start == number]
            for kept in together:
                kept.task = asyncio.create_task(self._keep(kept), name=kept.process.name)
            await asyncio.gather(*(kept.is_ready.wait() for kept in together))
            if number == first:
                await self._until_prepared()

    async def _until_prepared(self) -> None:
        while True:
            try:
                await self._in_thread(self._prepare)
            except Exception as error:
                self.error = f"preparing failed and is tried again: {_sentence(error)}"
                log.warning(self.error)
                self._report(self)
                await asyncio.sleep(self._pace.longest_delay / 5)
            else:
                self.error, self.prepared = None, True
                self._report(self)
                return

    async def _keep(self, kept: Kept) -> None:
        delay = self._pace.first_delay
        while True:
            ended, ready_for = await self._one_life(kept)
            if ready_for >= self._pace.settled:
                delay = self._pace.first_delay
            kept.restarts += 1
            self._change(kept, "restarting", ended)
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._pace.longest_delay)

    async def _one_life(self, kept: Kept) -> tuple[str, float]:
        """Start a process and see it through to its end; return the reason and for how long it was ready."""
        try:
            kept.running = await self._spawn(kept.process)
        except OSError as error:
            return f"could not be started: {error}", 0.0
        kept.pid, kept.created = kept.running.pid, time.time()
        self._change(kept, "starting")
        ended = await self._watch(kept, kept.running)
        ready_for = time.time() - kept.since if kept.phase == "ready" else 0.0
        await self._end(kept, 0.0)  # it is dead or deaf; what it started must go as well
        return ended, ready_for

    async def _spawn(self, process: Process) -> asyncio.subprocess.Process:
        process.before()
        rotate(process.log)
        with process.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *bound_to_parent(process.argv, signal.SIGKILL, process.nice),
                env={**os.environ, **process.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def _watch(self, kept: Kept, running: asyncio.subprocess.Process) -> str:
        """Ask until the process is dead, or has been silent for too long; return which."""
        exited = asyncio.create_task(running.wait())
        late, missed = time.monotonic() + kept.process.grace_seconds, 0
        try:
            while True:
                try:
                    error = await _unless(exited, self._ask(kept.process))
                except Broken as why:
                    return f"is broken: {why}"
                if exited.done():
                    return _exit_sentence(exited.result())
                if error is None:
                    missed = 0
                    if kept.phase != "ready":
                        self._change(kept, "ready")
                elif kept.phase == "ready":
                    missed += 1
                    if missed >= self._pace.failures:
                        return f"did not answer {missed} times in a row: {error}"
                elif time.monotonic() > late:
                    return f"was not ready within {kept.process.grace_seconds:g} s: {error}"
                pause = self._pace.ask_ready if kept.phase == "ready" else self._pace.ask_starting
                await _unless(exited, asyncio.sleep(pause))
        finally:
            exited.cancel()

    async def _ask(self, process: Process) -> str | None:
        asked = process.probe() if iscoroutinefunction(process.probe) else self._in_thread(process.probe)
        try:
            await asyncio.wait_for(asked, process.probe_seconds)
        except TimeoutError:
            return f"no answer within {process.probe_seconds:g} s"
        except Broken:
            raise
        except Exception as error:
            return _sentence(error)
        return None

    async def _stop_all(self) -> None:
        end = time.monotonic() + self._pace.stop_all
        waves = sorted({kept.process.stop for kept in self.kept})
        for position, number in enumerate(waves, start=1):
            together = [kept for kept in self.kept if kept.process.stop == number]
            wave_end = end - 0.08 * self._pace.stop_all * (len(waves) - position)  # the later ones get a second each
            await asyncio.gather(*(self._stop(kept, wave_end - time.monotonic()) for kept in together))

    async def _stop(self, kept: Kept, most_seconds: float) -> None:
        if kept.task:
            kept.task.cancel()
            await asyncio.gather(kept.task, return_exceptions=True)
        await self._end(kept, max(0.0, min(kept.process.stop_seconds, most_seconds)))
        self._change(kept, "stopped")

    async def _end(self, kept: Kept, seconds: float) -> None:
        """End a process and all in its session: SIGTERM, then SIGKILL after some seconds."""
        running, kept.running, kept.pid = kept.running, None, None
        if running is None:
            return
        if running.returncode is None and seconds:
            running.terminate()
            await asyncio.wait([asyncio.create_task(running.wait())], timeout=seconds)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()

    def _change(self, kept: Kept, phase: Phase, error: str | None = None) -> None:
        if kept.phase != phase:
            kept.phase, kept.since = phase, time.time()
            (kept.is_ready.set if phase == "ready" else kept.is_ready.clear)()
        kept.error = error or kept.error
        log.info("%s %s%s", kept.process.name, phase, f": {error}" if error else "")
        self._report(self)

    async def _in_thread(self, call: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call)


async def _unless(exited: "asyncio.Task[int]", work: Awaitable[str | None]) -> str | None:
    """Wait for some work, but no longer than the process lives."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([exited, task], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    return None


def _exit_sentence(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300].removesuffix(": ")
