"""Records on the topics come twice, in another order, damaged, empty, or from other versions."""

import asyncio
import json

from loadgen.chaos.records import Record
from loadgen.chaos.world import Kind, NotMet, World

COPIES = 20
SLICES = ("slices", "uploads")
"""One of their events stands for up to a thousand others, so fewer are sent again."""


async def duplicated(world: World) -> str:
    """Records that were sent before are sent again, in their order."""
    records = _seen(world)
    await _send(records, world)
    return f"{len(records)} on {records[0].topic}"


async def reordered(world: World) -> str:
    """Records that were sent before are sent again, in another order."""
    records = _seen(world)
    world.random.shuffle(records)
    await _send(records, world)
    return f"{len(records)} on {records[0].topic}"


async def corrupted(world: World) -> str:
    """A record with a few bytes changed, and one that never was an event."""
    record = _seen(world)[0]
    value = bytearray(record.value or b"")
    for _ in range(3):
        value[world.random.randrange(len(value))] = world.random.choice((0, 0x7F, 0xFF))
    junk = world.random.randbytes(world.random.randint(1, 300))
    for damaged in (b"\0" + bytes(value), junk):
        await asyncio.to_thread(world.records.send, record.topic, record.key, damaged, record.headers)
    return f"2 on {record.topic}"


async def emptied(world: World) -> str:
    """A record without a value: a tombstone."""
    record = _seen(world)[0]
    await asyncio.to_thread(world.records.send, record.topic, record.key, None, [])
    return f"1 on {record.topic}"


async def other_versions(world: World) -> str:
    """Uploads as a newer and an older program would announce them."""
    record = _of_topic("uploads", world)[0]
    for version in (99, 0):
        value = json.dumps({**record.event, "v": version, "unheard_of": True}).encode()
        await asyncio.to_thread(world.records.send, "uploads", record.key, value, [])
    return "2 on uploads"


def _seen(world: World) -> list[Record]:
    topics = [topic for topic in world.records.topics if topic != "rejected"]
    if not topics:
        raise NotMet("nothing was sent yet")
    return _of_topic(world.random.choice(topics), world)


def _of_topic(topic: str, world: World) -> list[Record]:
    there = [record for record in list(world.records.recent[topic]) if record.event]
    if not there:
        raise NotMet(f"nothing was sent on {topic} yet")
    return world.random.sample(there, min(len(there), 2 if topic in SLICES else COPIES))


async def _send(records: list[Record], world: World) -> None:
    for record in records:
        await asyncio.to_thread(world.records.send, record.topic, record.key, record.value, record.headers)


KINDS = (
    Kind("events-duplicated", "events", duplicated, weight=3),
    Kind("events-reordered", "events", reordered, weight=3),
    Kind("events-corrupted", "events", corrupted, weight=2),
    Kind("events-tombstone", "events", emptied),
    Kind("events-versions", "events", other_versions),
)
