"""The topics there are, and the consumer group that reads each: one for every stage and lane."""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.events import Event, ImageEnded, ImageFound, SliceListed, TilePlanned, TilePredicted, UploadReceived
from streams.stages import STAGES, group, lanes, topic

RETENTION_MS = 7 * 24 * 3600 * 1000
"""Longer than the longest deadline, shorter than the offsets' 30 days."""
REJECTED = "rejected"
"""A copy of every rejection, for people; nothing reads it back."""
PARTITIONS: Mapping[type[Event], int] = {
    UploadReceived: 4,
    SliceListed: 8,
    ImageFound: 16,
    TilePlanned: 16,
    TilePredicted: 16,
    ImageEnded: 8,
}
"""Of an event's topic, in each lane; consumers of one group can't be more."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is created."""

    name: str
    partitions: int


_READ = [(stage, lane) for stage in STAGES.values() for lane in lanes(stage)]
TOPICS = [*(Topic(topic(stage, lane), PARTITIONS[stage.takes]) for stage, lane in _READ), Topic(REJECTED, 1)]
GROUPS: Mapping[str, str] = {group(stage, lane): topic(stage, lane) for stage, lane in _READ}
"""Every consumer group, and the topic it reads."""
