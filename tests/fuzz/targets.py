"""What is fuzzed: each target takes bytes and may raise only what its reader promises."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loadgen.hostile.corpus import KINDS
from loadgen.hostile.kinds import Kind
from storage.archives import list_members, ranges
from storage.images import read_image
from storage.limits import MAX_PIXELS
from storage.memory import MemoryStore
from storage.sources import read_source
from storage.unreadable import Unreadable
from streams.events import NewerEvent, NotAnEvent, Source
from streams.stages import STAGES

GOLDEN = Path(__file__).parent.parent / "streams" / "golden"
MEMBERS = 20
SMALL = 60_000
"""Bytes of a seed: larger ones only make the search slow."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads, and what to begin with."""

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def images(data: bytes) -> None:
    for channel in (None, 2):
        try:
            planes = read_image(data, "a.tif", channel).planes
            assert planes.ndim == 3
            assert planes.dtype in (np.uint8, np.uint16)
            assert planes.size <= MAX_PIXELS
            assert np.array_equal(planes, read_image(data, "a.tif", channel).planes), "pixels that nobody wrote"
        except Unreadable as why:
            if isinstance(why.__context__, MemoryError):
                raise why.__context__ from None


def archives(data: bytes) -> None:
    store = MemoryStore()
    etag = store.put("uploads/a.zip", data)
    with suppress(Unreadable):
        for number, member in enumerate(
            list_members(ranges(store, "uploads/a.zip", etag, len(data)), len(data), "a.zip")
        ):
            if number == MEMBERS:
                break
            place = {field: getattr(member, field) for field in ("offset", "span", "packed", "size", "method", "crc")}
            with suppress(Unreadable):
                read_source(store, Source(key="uploads/a.zip", etag=etag, **place), member.name)


def events(data: bytes) -> None:
    for stage in STAGES.values():
        with suppress(NotAnEvent, NewerEvent):
            stage.takes.decode(data).encode()


def _made(wanted: Callable[[Kind], bool]) -> list[bytes]:
    return [data for kind in KINDS.values() if wanted(kind) for data in [kind.make(1)] if len(data) < SMALL]


TARGETS = {
    target.name: target
    for target in (
        Target("tiffs", images, lambda: _made(lambda kind: kind.is_image and kind.suffix == ".tif")),
        Target("pictures", images, lambda: _made(lambda kind: kind.is_image and kind.suffix in (".png", ".jpg"))),
        Target("archives", archives, lambda: _made(lambda kind: not kind.is_image)),
        Target("events", events, lambda: [path.read_bytes() for path in sorted(GOLDEN.glob("*.json"))]),
    )
}
