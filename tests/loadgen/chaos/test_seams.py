import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from signal import SIGKILL
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from loadgen.chaos.faults.seams import KillAtPut
from loadgen.chaos.http import Request
from loadgen.chaos.stack import Part
from loadgen.chaos.world import World
from tests.loadgen.chaos.proxied import Stand, breaks

Sender = subprocess.Popen[bytes]


@pytest.fixture
def sender() -> Iterator[Sender]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        with suppress(ProcessLookupError):
            process.kill()


def sent_by(process: Sender) -> World:
    part = Part("stage-segment", process.pid, psutil.Process(process.pid).create_time(), "ready")

    async def who(request: Request) -> Part:
        return part

    return cast(World, SimpleNamespace(holdings=SimpleNamespace(who=who)))


def kill_at_put(sender: Sender, after: bool, what: str = "/labels/") -> list[Any]:
    """The requests that reached the server, when the sender of a PUT was to die at it."""
    reached: list[Any] = []

    async def put(stand: Stand) -> None:
        rule = KillAtPut(sent_by(sender), what, after)
        stand.proxy.rules.append(rule)
        if what == "/labels/":
            await breaks(stand, "PUT", b"labels")
            assert (await asyncio.wait_for(rule.victim, 5)).pid == sender.pid
        else:
            await stand.ask("PUT", b"labels")
        reached.extend(stand.asked)

    Stand().run(put)
    return reached


def test_before_the_put_the_sender_dies_and_the_store_never_sees_the_object(sender: Sender) -> None:
    assert kill_at_put(sender, after=False) == []
    assert sender.wait(5) == -SIGKILL


def test_after_the_put_the_sender_dies_and_the_object_is_there(sender: Sender) -> None:
    [(method, _, body)] = kill_at_put(sender, after=True)
    assert (method, body) == ("PUT", b"labels")
    assert sender.wait(5) == -SIGKILL


def test_whoever_stores_something_else_lives_on(sender: Sender) -> None:
    assert len(kill_at_put(sender, after=False, what="/manifest/")) == 1
    assert sender.poll() is None
