"""Every kind of hostile file goes through the whole pipeline, in memory."""

import subprocess
import sys
import time
import tracemalloc
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache

import pytest

from loadgen.hostile.corpus import KINDS
from loadgen.hostile.kinds import EACH, GOOD, LABELLED, WHOLE, Kind
from loadgen.hostile.sound import archive, tiff
from storage.archives import list_members, ranges
from storage.memory import MemoryStore
from streams.events import Event, UploadReceived
from streams.jobs import ledger
from streams.tools import Tools
from tests.streams.stand import CHAINED, Queue, run, tools

CROWD = "zip_of_100000_empty_members"
IMAGES = {kind.file: kind for kind in KINDS.values() if kind.is_image}
ARCHIVES = {kind.file: kind for kind in KINDS.values() if not kind.is_image and kind.name != CROWD}
TOGETHER = "all_images.zip"
SECONDS = 4.0
"""Of one processor, for one event."""


@dataclass
class Ended:
    """How one image of a job ended; `name` as the corpus says it, `called` as the manifest does."""

    name: str
    called: str
    end: str
    message: str = ""


@dataclass
class Run:
    """How all images of an upload ended, and what the slowest of its events took."""

    images: list[Ended] = field(default_factory=list)
    state: str = ""


class Timed(Queue):
    """Knows what each image took."""

    def __init__(self, given: Tools) -> None:
        super().__init__(given, CHAINED)
        self.seconds: dict[str, float] = defaultdict(float)

    async def _answer(self, event: Event) -> list[Event]:
        began = time.process_time()
        answer = await super()._answer(event)
        if event.topic != "outcomes":  # they are answered all at once
            name = getattr(event, "name", "") or getattr(event, "object", "").rsplit("/", 1)[-1] or event.topic
            self.seconds[name] = max(self.seconds[name], time.process_time() - began)
        return answer


@cache
def worked() -> tuple[dict[str, Run], dict[str, float]]:
    """All archives, and all images in one archive beside a sound one."""
    given = tools()
    files = {name: kind.make(1) for name, kind in ARCHIVES.items()}
    files[TOGETHER] = archive({**{name: kind.make(1) for name, kind in IMAGES.items()}, GOOD: tiff()})
    for name, data in files.items():
        given.store.put(f"uploads/u1/{name}", data)
    queue = Timed(given)
    run(queue.work(*(UploadReceived(object=f"uploads/u1/{name}") for name in files)))
    return {job.name: _ended(given.store, job.job) for job in ledger.jobs(given.store)}, queue.seconds


def _ended(store: MemoryStore, job: str) -> Run:
    rejected = {each.image: each for each in ledger.rejections(store, job)}
    index = ledger.read_index(store, job)
    assert index is not None
    found = Run(state=ledger.state(store, job).state)
    for shard in range(index.shards):
        for entry in ledger.read_shard(store, job, shard).images:
            why = rejected.get(entry.image)
            name = WHOLE if entry.source.span is None else entry.name
            found.images.append(Ended(name, entry.name, *((why.reason, why.message) if why else ("labelled",))))
    return found


def check_end(image: Ended, ends: tuple[str, ...] | None) -> None:
    assert ends is not None, f"{image.called} should have been passed over"
    assert image.end in ends, f"{image.called}: {image.message}"
    if image.end != "labelled":
        assert image.called[:900] in image.message or repr(image.called)[:900] in image.message
        assert len(image.message.splitlines()) == 1


def test_there_are_enough_kinds_and_each_says_what_it_is() -> None:
    assert len(KINDS) >= 60
    assert all(kind.what.endswith(".") for kind in KINDS.values())


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.name != CROWD], ids=lambda kind: kind.name)
def test_the_same_seed_makes_the_same_bytes(kind: Kind) -> None:
    assert kind.make(3) == kind.make(3)


@pytest.mark.parametrize("name", IMAGES)
def test_every_image_ends_as_it_must_beside_all_others(name: str) -> None:
    runs, seconds = worked()
    (image,) = [image for image in runs[TOGETHER].images if image.name == name]
    check_end(image, IMAGES[name].ends[WHOLE])
    assert seconds[name] < SECONDS


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_member_of_an_archive_ends_as_it_must(name: str) -> None:
    runs, seconds = worked()
    kind, found = ARCHIVES[name], runs[name]
    assert found.state == "done"
    for image in found.images:
        check_end(image, kind.ends.get(image.name, kind.ends.get(EACH)))
    assert {image.name for image in found.images} >= kind.ends.keys() - {EACH}
    assert seconds[name] < SECONDS


def test_the_sound_image_beside_all_hostile_ones_is_labelled() -> None:
    runs, _ = worked()
    assert runs[TOGETHER].state == "done"
    assert [image.end for image in runs[TOGETHER].images if image.name == GOOD] == list(LABELLED)
    assert len(runs[TOGETHER].images) == len(IMAGES) + 1


def test_100_000_empty_members_are_told_from_the_directory_alone_in_little_time_and_memory() -> None:
    store, data = MemoryStore(), KINDS[CROWD].make(1)
    etag, began = store.put("a.zip", data), time.process_time()
    good, *others = list_members(ranges(store, "a.zip", etag, len(data)), len(data), "a.zip")
    assert time.process_time() - began < 5
    assert (good.name, good.problem) == (GOOD, "")
    assert len(others) == 100_000
    assert all(other.problem == f"{other.name} is empty" for other in others)
    del others
    tracemalloc.start()
    next(list_members(ranges(store, "a.zip", etag, len(data)), len(data), "a.zip"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6


MEASURE = """
import resource
from loadgen.hostile.corpus import KINDS
from tests.storage.bad_files import digest
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
files = {kind.file: kind.make(1) for kind in KINDS.values() if "bomb" in kind.name or "passes" in kind.name}
digest("good.tif", KINDS["tiff_1x1"].make(1))
before = peak()
for name, data in files.items():
    digest(name, data)
print(len(files), peak() - before)
"""


def test_bombs_are_defused_in_little_memory() -> None:
    said = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    bombs, megabytes = said.stdout.split()
    assert int(bombs) >= 10
    assert float(megabytes) < 250
