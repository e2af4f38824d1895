"""Where a worker starts to read a partition."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.work.consuming import _Consumer
from streams.work.tracker import Mark
from tests.streams.stand import run

OLD, FRESH, MISSED = (TP("images.bulk", number) for number in range(3))


class Told:
    """A reader that remembers what it is told."""

    def __init__(self) -> None:
        self.starts: dict[TP, int] = {}
        self.inherited: dict[TP, Mark] = {}

    def starts_at(self, tp: TP, offset: int) -> None:
        self.starts[tp] = offset

    def inherits(self, tp: TP, mark: Mark) -> None:
        self.inherited[tp] = mark


class Asked(_Consumer):
    """A consumer whose broker answers as a test wants it."""

    def __init__(self, committed: dict[TP, int | None], marks: dict[TP, Mark]) -> None:
        self.reader = Told()
        self.app: Any = SimpleNamespace(reader=self.reader)
        self.sought: dict[TP, int] = {}
        self._committed_offset: Any = committed
        self._all = {*committed, *marks}
        self._thread: Any = SimpleNamespace(call_thread=self._answer)
        self._marks = marks

    async def _answer(self, work: Any) -> dict[TP, Mark]:
        return self._marks

    def assignment(self) -> Any:
        return self._all

    async def earliest_offsets(self, *partitions: TP) -> Any:
        return dict.fromkeys(partitions, 3)

    async def seek(self, partition: TP, offset: int) -> None:
        self.sought[partition] = offset


def test_a_commit_that_the_broker_denied_once_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:  # rule 16
    async def nothing(_: object) -> None:
        return None

    monkeypatch.setattr(driver.Consumer, "perform_seek", nothing)
    consumer = Asked({OLD: 5, FRESH: None, MISSED: None}, {OLD: Mark(5, 5, 5), MISSED: Mark(14, 16, 16)})
    run(consumer.perform_seek())
    assert consumer.reader.starts == {OLD: 5, FRESH: 3, MISSED: 14}
    assert consumer.sought == {MISSED: 14}
    assert consumer.reader.inherited == {MISSED: Mark(14, 16, 16)}
