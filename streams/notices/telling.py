"""Sends the messages that are owed for jobs that have ended. It has threads and time limits of its own, so that an
address where nobody answers keeps nobody waiting but its own messages.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from observability.logs import log
from storage import keys
from storage.objects import Store, StoreError
from streams.jobs import ledger
from streams.jobs.records import Done, Job, Notice
from streams.notices import owed, signed
from streams.notices.addresses import Unsuitable

if TYPE_CHECKING:
    from streams.notices.posting import Post

SECONDS = 5.0
"""Between two looks."""
AT_ONCE = 8
"""Messages under way."""
OF_ONE = 4
"""Of one tenant among them."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """With what messages are signed, and where they may go."""

    house: bytes = b""
    private: bool = False


class _Due(NamedTuple):
    notice: Notice
    job: Job
    done: Done


class _Turns:
    """Who may send when, in one look: no tenant takes all turns, and no address where nobody answers takes many."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(AT_ONCE)
        self._tenants: dict[str, asyncio.Semaphore] = {}
        self.silent: set[str] = set()
        """Hosts where nobody has answered."""

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[None]:
        """A turn for a message about a job."""
        async with self._tenants.setdefault(job.tenant, asyncio.Semaphore(OF_ONE)), self._all:
            yield


class Telling:
    """Tells of the jobs of one owner.

    Parameters
    ----------
    store
        The bucket.
    owns
        Whether a job is this process's to tell of; two that tell of one is harmless.
    terms
        See there.
    now
        Seconds since 1970.
    """

    def __init__(
        self, store: Store, owns: Callable[[str], bool], terms: Terms, now: Callable[[], float] = time.time
    ) -> None:
        self._store, self._owns, self._terms, self._now = store, owns, terms, now
        self._threads, self._lookups = ThreadPoolExecutor(2, "telling"), ThreadPoolExecutor(2, "lookup")

    async def go_on(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(SECONDS)
            await self.look()

    async def look(self) -> None:
        """Send what is due, each once. Raises nothing: the next look comes soon."""
        try:
            due = await self._in_thread(self._due)
            if due:
                await self._send_all(due)
        except Exception as error:
            log().warning("notices_wait", error=repr(error))

    def _due(self) -> list[_Due]:
        owed_now = [stat.key.removeprefix(keys.NOTICES).split("/") for stat in self._store.list(keys.NOTICES)]
        if not owed_now:
            return []
        opened = set(ledger.open_jobs(self._store))
        ended = ((job, int(round_)) for job, round_ in owed_now if job not in opened and self._owns(job))
        found = (self._read(job, round_) for job, round_ in ended)
        return [due for due in found if due]

    def _read(self, name: str, round_: int) -> _Due | None:
        notice = ledger.read(self._store, keys.notice(name, round_), Notice)
        if notice is None or notice.after > self._now():
            return None
        job, done = ledger.read(self._store, keys.job(name), Job), ledger.read_done(self._store, name)
        return _Due(notice, job, done) if job and done else None

    async def _send_all(self, due: list[_Due]) -> None:
        from streams.notices.posting import Post

        turns = _Turns()
        async with Post(self._terms.private, self._lookups, self._now) as post:
            await asyncio.gather(*(self._send(each, post, turns) for each in due))

    async def _send(self, due: _Due, post: "Post", turns: _Turns) -> None:
        from streams.notices.posting import NotTaken

        message = owed.message(due.job, due.done, due.notice.round)
        secret = signed.secret_for(self._terms.house, due.job.tenant, due.job.notify)
        host = urlsplit(due.job.notify).netloc
        async with turns.of(due.job):
            if host in turns.silent:
                return  # the next look finds it again
            try:
                status = await post.send(message, due.job.notify, secret)
            except Unsuitable as why:
                await self._failed(due, str(why), final=True)
            except NotTaken as why:
                turns.silent.add(host)
                await self._failed(due, str(why))
            except Exception as why:  # what nobody foresaw is this message's trouble, and no other's
                await self._failed(due, repr(why))
            else:
                await self._judge(due, status)

    async def _judge(self, due: _Due, status: int) -> None:
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            await self._noted(owed.taken, due.notice, self._now)
            log().info("notice_taken", job=due.job.job, tries=due.notice.tries + 1)
        else:
            await self._failed(due, f"it was answered with {status}", final=status == HTTPStatus.GONE)

    async def _failed(self, due: _Due, why: str, final: bool = False) -> None:
        log().warning("notice_failed", job=due.job.job, why=why, tries=due.notice.tries + 1)
        await self._noted(owed.failed, due.notice, why, final, self._now)

    async def _noted(self, note: Callable[..., None], *given: Any) -> None:
        try:
            await self._in_thread(note, self._store, *given)
        except StoreError as error:  # it is sent again with the next look
            log().warning("notice_not_noted", error=str(error))

    async def _in_thread(self, work: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
