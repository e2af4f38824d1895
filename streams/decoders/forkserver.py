"""The worker's side: a small process that forks decoders, and the handles of those."""

import asyncio
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from observability.cost import Asked
from observability.logs import log
from storage import operations
from streams.decoders import decoding, wire
from streams.decoders.wire import Told, Wanted
from streams.workshop import COMPUTATION_SECONDS, Hung, ends

AGAIN_SECONDS = 1.0
"""Before a fork server that gave no decoder is asked again."""
LONG_SECONDS = 60.0
"""To wait for a decoder; one takes a second or two even where the fork server has to be started first."""
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""A process with threads should not be forked."""


class Died(Exception):
    """Whoever read the image is no more."""


class Child:
    """One decoder process, which reads one image at a time."""

    def __init__(self, channel: socket.socket, seconds: int, server: "subprocess.Popen[bytes] | _Copy") -> None:
        self.pid = 0
        self._server = server
        self._channel = channel
        self._channel.setblocking(False)
        self._seconds = seconds

    @property
    def alive(self) -> bool:
        """Whether its end of the channel is still open."""
        try:
            return bool(self._channel.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    @property
    def orphaned(self) -> bool:
        """Whether the server that forked it has ended, and with it all its decoders; another may run by now."""
        return self._server.poll() is not None

    async def greet(self) -> None:
        """Wait until it works."""
        self.pid = (await self._heard()).words["pid"]

    async def read(self, wanted: Wanted) -> tuple[float, Told]:
        """The seconds that the fetch took, and the last it told: an image, or an error. Raises `Died` and `Hung`."""
        try:
            wire.send(self._channel, wanted._asdict())
        except ConnectionError:
            raise Died from None
        told = await self._heard()
        if "fetch" not in told.words:
            return 0.0, told
        operations.count_others(Asked(*told.words["asked"]))
        return told.words["fetch"], await self._heard(self._seconds)

    def end(self) -> None:
        """Kill it, whatever it does."""
        if self.pid and self.alive:
            os.kill(self.pid, signal.SIGKILL)
        self._channel.close()

    async def _heard(self, seconds: int | None = None) -> Told:
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._channel, _wake, readable)
        try:
            if seconds is None:
                await readable
            elif not await ends(readable, seconds):
                raise Hung(seconds)
        finally:
            loop.remove_reader(self._channel)
        told = wire.receive(self._channel)
        if told is None:
            raise Died
        return told


class _Copy:
    """A process that was forked from this one; asked as `subprocess.Popen` is."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """How it ended; none while it runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """How it ended, once it has."""
        return self._reap(0)

    def kill(self) -> None:
        """End it."""
        if self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)

    def _reap(self, how: int) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self._pid, how)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status


def _wake(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


class ForkServer:
    """Forks decoders that have all imports already. It and they end with this process, however that ends.

    `multiprocessing` has such a server as well; it leaves a folder behind wherever a worker is killed, and needs one
    more process beside it.

    Parameters
    ----------
    place
        With which words a decoder opens the store.
    program
        The module that it is.
    seconds
        How long one image may take to decode.
    """

    def __init__(
        self, place: Mapping[str, str], program: str = "streams.decoders.decoding", seconds: int = COMPUTATION_SECONDS
    ) -> None:
        self.place = dict(place)
        self.seconds = seconds
        self._program = program
        self._process: subprocess.Popen[bytes] | _Copy | None = None
        self._control: socket.socket | None = None
        self._asked: list[float] = []

    @property
    def overdue(self) -> bool:
        """Whether somebody waits for a decoder for so long that a new worker does better."""
        return time.monotonic() - min(self._asked, default=math.inf) > LONG_SECONDS

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def split_off(self, become: Callable[[socket.socket, int], NoReturn] = decoding.become_server) -> None:
        """Start it as a copy of this process, which has no threads yet and has loaded little besides what it needs.

        Saves 0.6 s of a core; only the first one can be had so.

        Parameters
        ----------
        become
            What the copy does with its end of the socket and the worker's process id.
        """
        self._control, theirs = wire.pair()
        here = os.getpid()
        with theirs:
            pid = os.fork()
            if pid == 0:
                self._control.close()
                become(theirs, here)
            self._process = _Copy(pid)

    def start(self) -> None:
        """Start it, unless it is there. To be called in the main thread: the kernel ends it with the caller's."""
        if self.runs:
            return
        self.close()
        self._control, theirs = wire.pair()
        with theirs:
            argv = [sys.executable, "-m", self._program, str(theirs.fileno()), str(os.getpid())]
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), env={**os.environ, **_ONE_THREAD}
            )

    async def fork(self) -> Child:
        """A new decoder, once it works."""
        asked = time.monotonic()
        self._asked.append(asked)
        try:
            while True:
                try:
                    return await self._forked()
                except (OSError, Died) as error:
                    log().error("no_decoder", error=repr(error))
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self._asked.remove(asked)

    async def _forked(self) -> Child:
        self.start()
        assert self._control is not None and self._process is not None
        ours, theirs = wire.pair()
        child = Child(ours, self.seconds, self._process)
        try:
            with theirs:
                wire.send(self._control, self.place, [theirs.fileno()])
            await child.greet()
        except BaseException:
            child.end()
            raise
        return child

    def close(self) -> None:
        """End it and all its decoders."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None
