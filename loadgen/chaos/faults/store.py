"""The way to the S3 server is refused, slow, full or torn, and what comes over it is cut short or flipped."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from loadgen.chaos.http import Answer, Request, error
from loadgen.chaos.store_proxy import Cut, Instead, Rule, Torn
from loadgen.chaos.world import Kind, NotMet, World
from storage import keys

OUTAGE_SECONDS = (2.0, 6.0)
MOST_HITS = 4
"""Requests that are hit one by one; a stage gives up on none of them before more."""
SECONDS = 25.0


class _Honest:
    async def asked(self, request: Request) -> None:
        pass

    async def answered(self, request: Request, answer: Answer) -> Answer:
        return answer


@dataclass(slots=True)
class Busy(_Honest):
    """Every request is answered with an error instead."""

    status: int
    code: str
    methods: tuple[str, ...]

    async def asked(self, request: Request) -> None:
        """Answer at once."""
        if request.method in self.methods:
            raise Instead(error(self.status, self.code, "chaos said so"))


@dataclass(slots=True)
class Slow(_Honest):
    """Every request takes longer."""

    seconds: float

    async def asked(self, request: Request) -> None:
        """Wait first."""
        await asyncio.sleep(self.seconds)


class _Some(_Honest):
    """Meddles with the next few requests that fit."""

    def __init__(self, hits: int, fits: Callable[[Request], bool]) -> None:
        self.left = hits
        self.enough = asyncio.Event()
        self._fits = fits

    def hit(self, request: Request) -> bool:
        if self.left <= 0 or not self._fits(request):
            return False
        self.left -= 1
        if self.left == 0:
            self.enough.set()
        return True


class TornPut(_Some):
    """A request arrives by half, then both sides lose their connection."""

    async def asked(self, request: Request) -> None:
        """Tear it."""
        if self.hit(request):
            raise Torn


class LostAnswer(_Some):
    """The server does what it was asked, and the client doesn't hear of it."""

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Cut the connection."""
        if self.hit(request):
            raise Cut
        return answer


class ShortRead(_Some):
    """An object comes by half, though its head promises all."""

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Cut the body."""
        whole = answer.body
        return answer.with_body(whole[: len(whole) // 2]) if whole and self.hit(request) else answer


class FlippedByte(_Some):
    """One bit of an object is another when it arrives."""

    async def answered(self, request: Request, answer: Answer) -> Answer:
        """Flip a bit in the middle."""
        if answer.status not in (200, 206) or not answer.body or not self.hit(request):
            return answer
        body = bytearray(answer.body)
        body[len(body) // 2] ^= 16
        return answer.with_body(bytes(body))


def reads(request: Request) -> bool:
    """Whether an object is read."""
    return request.method == "GET" and bool(request.key)


def reads_scratch(request: Request) -> bool:
    """Whether tiles or maps are read, which anyone could compute again."""
    return reads(request) and request.key.startswith("scratch/")


def reads_input(request: Request) -> bool:
    """Whether an image is read."""
    return reads(request) and keys.is_input(request.key) and request.start is not None


def stores(request: Request) -> bool:
    """Whether a stage stores something."""
    return request.method == "PUT" and not keys.is_upload(request.key)


async def refused(world: World) -> str:
    """Nobody listens at the S3 server's address."""
    seconds = world.random.uniform(*OUTAGE_SECONDS)
    await world.stack.store.close()
    try:
        await asyncio.sleep(seconds)
    finally:
        await world.stack.store.open()
    return f"for {seconds:.1f} s"


async def busy(world: World) -> str:
    """Everything is answered with 503."""
    return await _for_a_while(Busy(503, "SlowDown", ("GET", "PUT", "HEAD", "POST", "DELETE")), world)


async def full(world: World) -> str:
    """Nothing can be stored, everything can be read: the disk is full."""
    return await _for_a_while(Busy(507, "InsufficientStorage", ("PUT", "POST")), world)


async def slow(world: World) -> str:
    """Every request takes longer."""
    return await _for_a_while(Slow(world.random.uniform(0.1, 0.8)), world)


async def some(make: type[_Some], fits: Callable[[Request], bool], world: World) -> str:
    """Meddle with a few requests."""
    hits = world.random.randint(1, MOST_HITS)
    rule = make(hits, fits)
    await _while(rule, rule.enough.wait(), world)
    if rule.left == hits:
        raise NotMet("no such request came")
    return f"{hits - rule.left} requests"


async def _for_a_while(rule: Rule, world: World) -> str:
    seconds = world.random.uniform(*OUTAGE_SECONDS)
    await _while(rule, asyncio.sleep(seconds), world)
    return f"for {seconds:.1f} s"


async def _while(rule: Rule, enough: "asyncio.Future[object] | object", world: World) -> None:
    world.stack.store.rules.append(rule)
    try:
        await asyncio.wait_for(enough, SECONDS)  # type: ignore[arg-type]
    except TimeoutError:
        pass
    finally:
        world.stack.store.rules.remove(rule)


KINDS = (
    Kind("s3-refused", "store", refused),
    Kind("s3-503", "store", busy),
    Kind("s3-slow", "store", slow),
    Kind("disk-full", "store", full),
    Kind("s3-short-read", "store", partial(some, ShortRead, reads), weight=2),
    Kind("s3-torn-put", "store", partial(some, TornPut, stores), weight=2),
    Kind("s3-lost-answer", "store", partial(some, LostAnswer, stores), weight=2),
    Kind("s3-flipped-scratch", "store", partial(some, FlippedByte, reads_scratch)),
    Kind("s3-flipped-input", "store", partial(some, FlippedByte, reads_input)),
)
