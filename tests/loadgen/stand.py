"""A stand for the audit: the real pipeline runs in memory, and what it leaves is planted with what can't be right."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loadgen.bucket import Seen
from loadgen.topics import Ends, Record
from loadgen.verify.anomalies import Kind
from loadgen.verify.audit import verify
from loadgen.verify.checks import Moment
from loadgen.verify.report import Report
from storage.memory import MemoryStore
from storage.objects import Changed, NotFound
from streams.events import Event, ImageEnded, ImageFound, TilePlanned
from tests.streams import stand


class MemoryBucket:
    """A store in memory as a bucket to read."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, key: str) -> bytes | None:
        try:
            return self._store.get(key)
        except NotFound:
            return None

    def size(self, key: str, etag: str) -> int | None:
        try:
            found = self._store.stat(key)
        except NotFound:
            return None
        return found.size if found.etag == etag else None

    def part(self, key: str, start: int, length: int, etag: str) -> bytes | None:
        try:
            return self._store.get(key, start, length, etag)
        except (NotFound, Changed):
            return None

    def list(self, prefix: str) -> Iterator[Seen]:
        for stat in list(self._store.list(prefix)):
            yield Seen(stat.key, stat.modified)

    def folders(self, prefix: str) -> Iterator[str]:
        return iter(list(self._store.folders(prefix)))


class MemoryTopics:
    """Topics in memory, of one partition each, all answered for."""

    def __init__(self, events: list[Event]) -> None:
        self.values: dict[str, list[bytes]] = {"uploads": [], "outcomes": []}
        for event in events:
            self.values.setdefault(event.topic, []).append(event.encode())
        self.gone: dict[str, set[int]] = {}
        self.answered: int | None = None
        self._next: dict[str, int] = {}

    def rewind(self) -> None:
        """As a new reader finds them."""
        self._next.clear()

    def read(self, topic: str) -> Iterator[Record]:
        first = self._next.get(topic, 0)
        self._next[topic] = len(self.values[topic])
        for offset, value in enumerate(self.values[topic][first:], first):
            yield Record(topic, 0, offset, value)

    def forgotten(self, topic: str) -> set[int]:
        return self.gone.get(topic, set())

    def committed(self, topic: str, group: str) -> Ends:
        return {0: len(self.values[topic]) if self.answered is None else self.answered}


@dataclass(frozen=True)
class World:
    """What the real pipeline left: every object, every event."""

    objects: dict[str, bytes]
    events: list[Event]


def world() -> World:
    """A job of four images of which three are labelled and one is rejected, in a world in which all is well."""
    store = MemoryStore()
    members = {f"{name}.tif": stand.tiff(seed=seed) for seed, name in enumerate("abc")} | {"d.tif": b"no image"}
    events = stand.submit(stand.tools(store), stand.archive(members))
    return World({stat.key: store.get(stat.key) for stat in store.list("")}, events)


def planned(found: ImageFound, tile: int = 0, tiles: int = 1) -> TilePlanned:
    """A tile of an image."""
    return TilePlanned(
        job=found.job,
        image=found.image,
        found=found,
        plane=0,
        planes=1,
        shape=(9, 9),
        scaled=(9, 9),
        plan="p",
        tile=tile,
        tiles=tiles,
        low=0,
        high=1,
        pixels="x",
        pixels_shape=(9, 9),
        dtype="uint8",
    )


class Scene:
    """One such world to plant things in."""

    def __init__(self, world: World) -> None:
        self.store = MemoryStore()
        for key, data in world.objects.items():
            self.store.put(key, data)
        self.topics = MemoryTopics(world.events)
        self.job = next(event.job for event in world.events if event.job)

    def audit(self, settled: bool = False, now: float | None = None, **options: Any) -> Report:
        topics = options.pop("topics", self.topics)
        self.topics.rewind()
        moment = Moment(time.time() if now is None else now, settled)
        return verify(MemoryBucket(self.store), topics, moment, **options)

    def found(self, settled: bool = True, **options: Any) -> set[Kind]:
        return set(self.audit(settled, **options).findings.by_class)

    def key(self, rest: str) -> str:
        return f"jobs/{self.job}/{rest}"

    def read(self, key: str) -> Any:
        return json.loads(self.store.get(key))

    def write(self, key: str, record: Any) -> None:
        self.store.put(key, json.dumps(record).encode())

    def change(self, key: str, **fields: Any) -> None:
        self.write(key, self.read(key) | fields)

    def reopen(self) -> None:
        """As if the job had not ended."""
        self.store.delete([self.key("done.json")])
        self.write(f"open/{self.job}", {})

    def announce(self, event: Event) -> None:
        self.topics.values[event.topic].append(event.encode())

    def silence(self, image: int) -> None:
        """As if no outcome of the image had ever been announced."""
        said = self.topics.values["outcomes"]
        said[:] = [value for value in said if ImageEnded.decode(value).image != image]


def work(scene: Scene, *events: Event) -> None:
    """Let the pipeline answer more events; what it announces is announced."""
    seen = stand.run(stand.Queue(stand.tools(scene.store), stand.CHAINED).work(*events))
    for event in seen:
        if event.topic in scene.topics.values:
            scene.announce(event)
