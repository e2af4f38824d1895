"""Whether workers acknowledged only what was answered: every commit of a run, against what had been announced by then.

A commit passes an image's event rightly once the image has an outcome, or its tiles are announced, or it waits again at
the end of its topic. The broker keeps all commits in a topic of its own, in the order in which it took them.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from loadgen.topics import Record, Topics
from streams.events import Event, ImageEnded, ImageFound, Lane, NewerEvent, NotAnEvent, TilePlanned

OFFSETS = "__consumer_offsets"
READER = "tile"
"""The stage that answers for images; its groups are named after it and the lane."""
_OFFSET_COMMIT = (0, 1)
"""Versions of a key that begins a commit; other records of the topic are about members of groups."""
E = TypeVar("E", bound=Event)
K = TypeVar("K")
Image = tuple[str, int]
Place = tuple[str, int, int]
"""A topic, a partition and an offset."""
Waiting = tuple[Image, int, float]
"""An image's event: which image, how often it was tried before, and when it was sent."""


class Commit(NamedTuple):
    """A group's position in a partition, as the broker took it."""

    group: str
    topic: str
    partition: int
    offset: int
    at: float
    """Seconds since 1970."""


@dataclass(slots=True)
class Acknowledged:
    """What the commits came to."""

    commits: int = 0
    passed: int = 0
    """Image events that they passed."""
    wrong: list[str] = field(default_factory=list)
    """In sentences: what was acknowledged before it was answered, and groups that went back."""


@dataclass(slots=True)
class _Answers:
    """When images were first answered for, in seconds since 1970."""

    ended: dict[Image, float] = field(default_factory=dict)
    again: dict[Image, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """The attempts of its events, and when each was sent."""
    tiles: dict[Image, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    planned: dict[Image, int] = field(default_factory=dict)
    """How many tiles it has."""

    def at(self, image: Image, attempt: int) -> float:
        """When the event of this attempt was answered; infinite if never."""
        moments = [at for later, at in self.again[image] if later > attempt]
        tiles = self.tiles[image]
        if tiles and len(tiles) == self.planned[image]:
            moments.append(max(tiles.values()))
        return min([*moments, self.ended.get(image, float("inf"))])


def acknowledged(topics: Topics) -> Acknowledged:
    """Follow every commit of the topics `images`, from the first to the last. Raises `TopicsAway`."""
    commits = list(_commits(topics))
    waited = {place: event for lane in Lane for place, event in _waited(topics, lane)}
    return _follow(commits, waited, _answered(topics, waited.values()))


def _waited(topics: Topics, lane: Lane) -> Iterator[tuple[Place, Waiting]]:
    for record, event in _events(topics, ImageFound, f"{ImageFound.topic}.{lane}"):
        place = (record.topic, record.partition, record.offset)
        yield place, ((event.job, event.image), event.attempt, record.at)


def _answered(topics: Topics, waited: Iterable[Waiting]) -> _Answers:
    answers = _Answers()
    for image, attempt, at in waited:
        answers.again[image].append((attempt, at))
    for lane in Lane:
        for record, planned in _events(topics, TilePlanned, f"{TilePlanned.topic}.{lane}"):
            image = (planned.job, planned.image)
            answers.planned[image] = planned.tiles
            _earliest(answers.tiles[image], planned.tile, record.at)
    for record, ended in _events(topics, ImageEnded, ImageEnded.topic):
        _earliest(answers.ended, (ended.job, ended.image), record.at)
    return answers


def _earliest(moments: dict[K, float], what: K, at: float) -> None:
    """Note a moment, unless an earlier one is known: a copy may lie in a partition that is read before."""
    moments[what] = min(at, moments.get(what, at))


def _follow(commits: list[Commit], waited: dict[Place, Waiting], answers: _Answers) -> Acknowledged:
    came, reached = Acknowledged(len(commits)), defaultdict[tuple[str, int], int](int)
    for commit in commits:
        before = reached[commit.topic, commit.partition]
        where = f"on {commit.topic}, partition {commit.partition}"
        if commit.offset < before:
            came.wrong.append(f"The group {commit.group} went back from {before} to {commit.offset} {where}.")
        for offset in range(before, commit.offset):
            waiting = waited.get((commit.topic, commit.partition, offset))
            if waiting is None:
                continue  # junk, which is set aside
            came.passed += 1
            (job, image), attempt, _ = waiting
            if answers.at((job, image), attempt) > commit.at:
                came.wrong.append(f"Image {image} of job {job}, offset {offset} {where}, was acknowledged too early.")
        reached[commit.topic, commit.partition] = max(before, commit.offset)
    return came


def _events(topics: Topics, kind: type[E], topic: str) -> Iterator[tuple[Record, E]]:
    for record in topics.read(topic):
        try:
            yield record, kind.decode(record.value)
        except (NotAnEvent, NewerEvent):
            continue


def _commits(topics: Topics) -> Iterator[Commit]:
    groups = {f"{READER}.{lane}" for lane in Lane}
    for record in topics.read(OFFSETS):
        commit = decode(record)
        if commit is not None and commit.group in groups:
            yield commit


def decode(record: Record) -> Commit | None:
    """A commit as Kafka writes it (its own format, big-endian); none where the record is something else."""
    if not record.value or struct.unpack_from(">h", record.key)[0] not in _OFFSET_COMMIT:
        return None
    group, rest = _text(record.key[2:])
    topic, rest = _text(rest)
    [partition] = struct.unpack_from(">i", rest)
    [offset] = struct.unpack_from(">q", record.value, 2)
    return Commit(group, topic, partition, offset, record.at)


def _text(data: bytes) -> tuple[str, bytes]:
    [length] = struct.unpack_from(">h", data)
    return data[2 : 2 + length].decode(), data[2 + length :]
