"""The loop is open: what becomes of a zip changes nothing of when the next is sent."""

import threading
from pathlib import Path
from typing import Any

import pytest

from kiosk.contract import JobView
from kiosk.errors import NotRunning
from loadgen.run.journal import Sent
from loadgen.run.plan import Plan
from loadgen.run.sending import Loop
from tests.loadgen.run.made import due

PLAN = Plan(images=4, zip_size=1, delay=0.0)


class Held:
    """A system that answers nobody until it is let go, and that has never heard of some zips."""

    def __init__(self, unknown: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self.all_asked, self.answer = threading.Event(), threading.Event()
        self.unknown = unknown

    def submit(self, paths: Any, model: str, *, diameter: float | None) -> list[str]:
        name = paths[0].name
        self.asked.append(name)
        if len(self.asked) == 4:
            self.all_asked.set()
        assert self.answer.wait(20)
        if name in self.unknown:
            raise NotRunning("Nothing answers.")
        return [name]

    def job(self, job: str) -> JobView:
        counts = {"images": 1, "labelled": 1, "rejected": 0, "cancelled": 0, "in_flight": 0}
        return JobView(job=job, name=job, model="nuclei", created=0, state="done", seconds=1, **counts)  # type: ignore[arg-type]


def zips(folder: Path) -> list[tuple[Any, Path]]:
    found = [due(number, 0.0) for number in range(4)]
    for each in found:
        (folder / each.name).write_bytes(b"zip")
    return [(each, folder / each.name) for each in found]


@pytest.fixture
def kept() -> list[Sent]:
    return []


def test_four_zips_are_sent_while_the_first_is_still_unanswered(tmp_path: Path, kept: list[Sent]) -> None:
    system = Held(unknown=("load_000002.zip",))
    loop = Loop(PLAN, [system], kept.append, threading.Event())
    sending = threading.Thread(target=loop.send, args=(zips(tmp_path),))
    sending.start()
    assert system.all_asked.wait(20)
    assert kept == []
    system.answer.set()
    sending.join()
    assert len(kept) == 4
    assert [each.problem for each in kept if not each.job] == ["Nothing answers."]
    assert list(tmp_path.iterdir()) == []
    with loop.watched(lambda standing: None):
        assert loop.wait(patience=20)
    assert (loop.standing.sent, loop.standing.failed, loop.standing.ended) == (3, 1, 3)


def test_once_it_is_to_stop_nothing_more_is_sent_or_waited_for(tmp_path: Path, kept: list[Sent]) -> None:
    system, stop = Held(), threading.Event()
    system.answer.set()
    loop = Loop(PLAN, [system], kept.append, stop)
    loop.send(zips(tmp_path)[:1])
    stop.set()
    loop.send(zips(tmp_path))
    assert len(kept) == 1
    assert not loop.wait(patience=20)
