"""The records of the bucket as an outsider reads them: only the fields that the audit needs, from JSON and bitmaps."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from streams.events import MOST_IMAGES

DAY = 24 * 3600.0


class Unreadable(Exception):
    """The bytes are not what lies under this kind of key; the message says why, without the key."""


class Record(BaseModel):
    """A stored JSON object; what is not needed here is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class JobRecord(Record):
    """`job.json`."""

    job: str
    object: str
    etag: str = ""
    model: str
    model_digest: str = ""
    options: dict[str, Any] = {}
    submission: str = ""
    created: float = 0.0
    deadline: float = DAY
    """Seconds within which each image should end."""
    refused: str = ""
    tenant: str = ""


class IndexRecord(Record):
    """`manifest/index.json`."""

    images: int
    shards: int


class Source(Record):
    """Where an image's file lies."""

    key: str
    etag: str = ""
    offset: int = 0
    crc: int | None = None


class Entry(Record):
    """One image in a shard of the manifest."""

    image: int
    name: str
    source: Source
    problem: str = ""


class ShardRecord(Record):
    """`manifest/<shard>.json`."""

    job: str
    shard: int
    images: list[Entry]


class DoneRecord(Record):
    """`done.json`."""

    images: int
    labelled: int
    rejected: int
    cancelled: int = 0
    round: int = 0
    finished: float


class RoundRecord(Record):
    """`rounds/<n>.json`: the images that go through again."""

    round: int
    images: list[int]
    created: float = 0.0
    deadline: float = DAY


class OpenRecord(Record):
    """`open/<job>`: how much of the deadline has run, as whoever looks after the job counts it."""

    counted: float = 0.0
    """Seconds of the newest round in which nothing was away."""
    looked: float = 0.0
    """When somebody looked last, in seconds since 1970."""
    ahead: dict[int, float] = {}
    """Seconds that older rounds had run when the newest began."""


class DeletedRecord(Record):
    """`deleted/<job>`: the job was here."""

    job: str
    object: str = ""
    etag: str = ""
    """Empty where it is not known."""
    deleted: float = 0.0
    """Seconds since 1970."""


class FailedEvent(Record):
    """The event on which an image was rejected: that of the image, or of a tile, which holds its image's."""

    image: int | None = None
    name: str = ""
    source: Source | None = None
    found: "FailedEvent | None" = None
    planned: "FailedEvent | None" = None

    @property
    def first(self) -> "FailedEvent":
        """The event with which work on the image began."""
        inner = self.planned or self.found
        return inner.first if inner else self


class RejectionRecord(Record):
    """`rejected/<shard>/<image>.<round>.json`."""

    job: str
    image: int
    round: int = 0
    name: str = ""
    reason: str
    message: str
    event: FailedEvent = FailedEvent()
    """Without a source where it was kept by nobody, or is not that of an image."""


@dataclass(frozen=True, slots=True)
class TallyRecord:
    """One owner's bitmaps: bit n stands for image n; rejections count within one round."""

    labelled: int
    rejected: int
    round: int = 0


Any_ = TypeVar("Any_", bound=Record)


def read(kind: type[Any_], data: bytes) -> Any_:
    """A stored record; raises `Unreadable`."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise Unreadable(f"{where}: {first['msg']}") from None


def read_tally(data: bytes, round_: int) -> TallyRecord:
    """Two bitmaps, least significant byte first, each after its length in four bytes; raises `Unreadable`."""
    labelled, rest = _bitmap(data)
    rejected, rest = _bitmap(rest)
    if rest:
        raise Unreadable(f"{len(rest)} bytes follow the two bitmaps")
    return TallyRecord(labelled, rejected, round_)


def _bitmap(data: bytes) -> tuple[int, bytes]:
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size or len(data) < 4 or size > MOST_IMAGES // 8 + 1:
        raise Unreadable(f"a bitmap of {size} bytes in {len(data)} bytes")
    return int.from_bytes(data[4 : 4 + size], "little"), data[4 + size :]
