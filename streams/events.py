"""Every message that crosses Kafka: its topic, its key, its JSON.

Events are facts in the past tense. Fields that a reader doesn't know are kept and passed over; new fields have
defaults; a higher `v` is a language we don't speak yet, so the reader stops instead of guessing.
"""

import re
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from observability.cost import Asked
from storage import keys
from streams.runs import Run

VERSION = 1
MOST_IMAGES = 10_000_000
"""Of one job: a tally holds two bits for each, so a number out of a stranger's head must not decide its size."""
MAX_MARK = 200
"""Characters of what a submission is marked with, and of an object's etag."""
MAX_ADDRESS = 2000
"""Characters of an address that is told of a job's end."""
LONGEST_KEY = 1024
"""Bytes, in every S3 server. What none can hold is refused here: asking for it looks like a server that is away."""
LONGEST_DEADLINE = 6 * 24 * 3600.0
"""Seconds. Shorter than topics keep their events, so that none is lost unseen before its image's time is over."""
MOST_BUDGET = 1e9
"""Dollars."""
Dollars = Annotated[float, Field(gt=0, le=MOST_BUDGET, allow_inf_nan=False)]
"""More than none; of a budget, what a job may cost before it is held."""
MAX_SIDE = 200_000
"""Pixels, at the model's scale as well."""
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Tenant = Annotated[str, Field(pattern=rf"^({keys.TENANT})?$")]
"""Whose job it is; empty: nobody's in particular."""


def is_job_id(text: str) -> bool:
    """Whether a job could have this id: it becomes a part of keys."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) is not None


class Lane(StrEnum):
    """Small jobs are not stuck behind big ones: topics where images and tiles wait come twice."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


Outcome = Literal["labelled", "rejected"]
ReasonClass = Literal["bad_input", "too_large", "unsupported", "model_error", "timeout", "infrastructure", "killed"]


class NotAnEvent(Exception):
    """The bytes are no event of this kind; the message says what is wrong with them."""


class NewerEvent(Exception):
    """The event has a higher major version than this program knows."""


class Options(BaseModel):
    """What a submission may ask for, besides the model. Pixel size in µm; diameter of a typical object in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pixel_size: Annotated[float, Field(gt=0.001, lt=1000, allow_inf_nan=False)] | None = None
    diameter: Annotated[float, Field(ge=2, le=2000, allow_inf_nan=False)] | None = None
    channel: Annotated[int, Field(ge=1, le=1000)] | None = None


class Source(BaseModel):
    """Where an image's file lies: a whole object, or a member of an archive by its place in it (in bytes)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    key: str
    etag: str
    offset: int = 0
    span: int | None = None
    """Bytes from the member's local header up to whatever follows it; none for a whole object."""
    packed: int | None = None
    size: int = 0
    """Bytes of the file itself, unpacked."""
    method: int = 0
    """Zip compression method: 0 stored, 8 deflated."""
    crc: int | None = None


class Event(BaseModel):
    """What all events share: the version, and the job they belong to."""

    model_config = ConfigDict(frozen=True, extra="allow")
    topic: ClassVar[str]
    laned: ClassVar[bool] = False

    v: int = VERSION
    job: JobId
    lane: Lane = Lane.BULK

    @property
    def key(self) -> str:
        """Events with one key stay in order and reach one worker."""
        return self.job

    @property
    def claimed(self) -> tuple[str, ...]:
        """The keys of what this event says is durable: stored before it is announced."""
        return ()

    @property
    def address(self) -> str:
        """The topic this event goes to."""
        return f"{self.topic}.{self.lane}" if self.laned else self.topic

    def encode(self) -> bytes:
        """The event as JSON."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read an event; raises `NewerEvent` or `NotAnEvent`."""
        try:
            event = cls.model_validate_json(data)
        except ValidationError as error:
            cls._check_version(_version(data))  # first: what comes later may have other fields
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the message"
            raise NotAnEvent(f"not a {cls.__name__}: {where}: {first['msg']}") from None
        cls._check_version(event.v)
        return event

    @classmethod
    def _check_version(cls, version: int) -> None:
        if version > VERSION:
            raise NewerEvent(f"{cls.__name__} has version {version}, this program knows up to {VERSION}")


class _Versioned(BaseModel):
    """All that is certain of a message in any version of this language."""

    v: int = VERSION


def _version(data: bytes) -> int:
    try:
        return _Versioned.model_validate_json(data).v
    except ValidationError:
        return VERSION


class UploadReceived(Event):
    """An archive or image is durable in the bucket. The one event that strangers may produce.

    Only `object` is required.

    In JSON: `{"object": "inbox/nuclei/plate.zip", "model": "nuclei", "options": {"diameter": 24}}`.
    """

    topic = "uploads"

    job: Annotated[str, Field(pattern=rf"^({keys.TENANT}_[0-9a-f]{{20}}|[0-9a-f]{{0,64}})$")] = ""
    object: Annotated[str, Field(max_length=LONGEST_KEY, pattern=r"^[^\x00-\x1f\x7f]+$")]
    model: Annotated[str, Field(max_length=200)] = "nuclei"
    options: dict[str, Any] = {}
    etag: Annotated[str, Field(max_length=MAX_MARK)] = ""
    submission: Annotated[str, Field(max_length=MAX_MARK)] = ""
    name: Annotated[str, Field(max_length=keys.MAX_NAME)] = ""
    deadline: Annotated[float, Field(ge=60, le=LONGEST_DEADLINE, allow_inf_nan=False)] | None = None
    """Seconds within which its images should end; the job's default where none."""
    budget: Dollars | None = None
    """None: as many dollars as it takes."""
    tenant: Tenant = ""
    notify: Annotated[str, Field(max_length=MAX_ADDRESS)] = ""
    """An address that is told when the job ends; empty: none."""

    @field_validator("object")
    @classmethod
    def _inside(cls, value: str) -> str:
        if {".", ".."} & set(value.split("/")):
            raise ValueError("is a path and not a key: it has a part '.' or '..'")
        if len(value.encode()) > LONGEST_KEY:
            raise ValueError(f"is longer than {LONGEST_KEY} bytes")
        return value

    @property
    def key(self) -> str:
        """The job, or before there is one the object."""
        return self.job or self.object


class SliceListed(Event):
    """Up to 1,000 images of a job stand in its manifest, not yet announced."""

    topic = "slices"

    shard: Annotated[int, Field(ge=0, lt=MOST_IMAGES)]
    round: Annotated[int, Field(ge=0)] = 0
    again: bool = False
    """Announced before: what is in flight or has ended may be met."""

    @property
    def key(self) -> str:
        """Slices of one job spread over all workers."""
        return f"{self.job}/{self.shard}"


class ImageEvent(Event):
    """An event about one image, in one round of its job."""

    image: Annotated[int, Field(ge=0, lt=MOST_IMAGES)]
    round: Annotated[int, Field(ge=0)] = 0

    @property
    def key(self) -> str:
        """The image."""
        return f"{self.job}/{self.image}"


class ImageFound(ImageEvent):
    """An image of a job waits to be worked on."""

    topic = "images"
    laned = True

    name: str
    source: Source
    model: str
    model_digest: str
    options: Options = Options()
    again: bool = False
    """Announced before: look for its outcome first."""
    attempt: Annotated[int, Field(ge=0, le=1000)] = 0
    """Attempts that failed so far, in whichever process."""
    ran: tuple[Run, ...] | None = None
    """What was measured so far, where it is traced."""


class TilePlanned(ImageEvent):
    """One tile of an image waits for its prediction; its pixels are claimed under `pixels`."""

    topic = "tiles"
    laned = True

    found: ImageFound
    plane: Count
    planes: Count
    shape: tuple[Side, Side]
    """Height and width of the image in its own pixels."""
    scaled: tuple[Side, Side]
    """Height and width on the model's grid."""
    plan: str
    tile: Count
    tiles: Count
    """How many tiles all planes of the image have together."""
    low: Finite
    high: Finite
    pixels: str
    pixels_shape: tuple[Side, Side]
    dtype: Literal["uint8", "uint16"]
    pixel_size: float | None = None
    """Of the image's own pixels, in µm."""
    estimated_diameter: float | None = None
    """Of a typical object, in the image's own pixels, where nothing was known of sizes."""

    @property
    def key(self) -> str:
        """Tiles of one image spread over all workers."""
        return f"{self.job}/{self.image}/{self.tile}"

    @property
    def claimed(self) -> tuple[str, ...]:
        """The tile's pixels."""
        return (self.pixels,)


class TilePredicted(ImageEvent):
    """One tile's maps are known, and claimed under `maps`; all tiles of an image meet again at one worker."""

    topic = "predictions"
    laned = True

    planned: TilePlanned
    maps: str

    @property
    def claimed(self) -> tuple[str, ...]:
        """The tile's maps."""
        return (self.maps,)


class ImageEnded(ImageEvent):
    """An image ended one way or the other, and the object that says so is durable."""

    topic = "outcomes"

    outcome: Outcome
    reason: ReasonClass | None = None
    fanned_out: bool = False
    """Whether tiles and maps of this image may still lie in the bucket."""
    ran: tuple[Run, ...] | None = None
    """What was measured on the way, where it is traced."""
    asked: Asked | None = None
    """What the worker asked of the store since it ended another image."""

    @property
    def key(self) -> str:
        """All outcomes of a job reach its one owner."""
        return self.job

    @property
    def claimed(self) -> tuple[str, ...]:
        """The object that says how the image ended."""
        if self.outcome == "labelled":
            return (keys.labels(self.job, self.image),)
        return (keys.rejection(self.job, self.image, self.round),)


def found_of(event: Event) -> ImageFound | None:
    """The image an event is about, from which work on it can start again."""
    match event:
        case ImageFound():
            return event
        case TilePlanned():
            return event.found
        case TilePredicted():
            return event.planned.found
    return None


class Rejection(BaseModel):
    """The stored story of a rejected image."""

    model_config = ConfigDict(frozen=True, extra="allow")

    v: int = VERSION
    job: str
    image: int
    round: int = 0
    name: str = ""
    reason: ReasonClass
    message: str
    attempts: int = 1
    traceparent: str = ""
    event: dict[str, object] = {}
