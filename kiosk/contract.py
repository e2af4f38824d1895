"""What the API and its clients say to each other: the bodies of requests and answers under `/api/v1`."""

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.events import Options, ReasonClass

PREFIX = "/api/v1"
PART_SIZE = 16 * 1024**2
"""Bytes of an upload's part; the last one may be shorter."""
SMALL_UPLOAD = 100 * 1024**2
"""Up to so many bytes a file may be sent in one request."""
_UNITS = {"pixel_size": " µm", "diameter": " pixels", "channel": ""}

State = Literal["listing", "running", "done"]
Fate = Literal["labelled", "rejected", "cancelled", "in flight"]


class Strict(BaseModel):
    """A request: what it doesn't know is a mistake of the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """An answer: a newer server may say more than this client knows."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NewUpload(Strict):
    """A file about to be sent in parts."""

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    """The file's own name, or its path in the sender's folder."""
    model: str = "nuclei"
    options: Options = Options()
    submission: Annotated[str, Field(max_length=200)] = ""
    """The sender's own mark: the same file with another mark is another job."""
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes of the file where they are known: very large files are sent in larger parts."""


class NewJob(Strict):
    """A small file sent as the body of one request; its options stand in the query."""

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    model: str = "nuclei"
    pixel_size: float | None = None
    """µm."""
    diameter: float | None = None
    """Pixels."""
    channel: int | None = None
    """Counted from 1."""
    submission: Annotated[str, Field(max_length=200)] = ""


class UploadStarted(Answer):
    """Where the parts belong."""

    upload: str
    """Names the upload in all further requests."""
    key: str
    part_size: int
    """Bytes of every part but the last."""


class PartAddress(Answer):
    """Where to PUT one part, without any key; good for an hour."""

    number: int
    url: str


class StoredPart(Answer):
    """A part that the store has; `number` counts from 1."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    etag: str


class Completion(Strict):
    """All parts of an upload, in order."""

    parts: Annotated[list[StoredPart], Field(min_length=1, max_length=10_000)]


class Accepted(Answer):
    """The job that an upload became."""

    job: str


class JobView(Answer):
    """A job at one moment; `images` and `in_flight` are none while its archive is still being listed."""

    job: str
    name: str
    model: str
    options: Options = Options()
    created: float
    """Seconds since 1970."""
    state: State
    images: int | None
    labelled: int
    rejected: int
    cancelled: int
    in_flight: int | None
    seconds: float
    """From acceptance to the end, or to now."""
    refused: str = ""
    """Why the whole job can't be worked on; empty when it can."""

    @property
    def over(self) -> bool:
        """Nothing more will happen to the job by itself."""
        return self.state == "done"


class ImageView(Answer):
    """One image of a job and what became of it."""

    image: int
    name: str
    size: int
    """Bytes of its file."""
    fate: Fate


class ImagePage(Answer):
    """Images of a job from `first` on; `total` is none while its archive is still being listed."""

    total: int | None
    first: int
    images: list[ImageView]


class RejectedImage(Answer):
    """Why an image has no labels."""

    image: int
    name: str
    reason: ReasonClass
    message: str
    attempts: int = 1


class ModelView(Answer):
    """A model that jobs can name. Pixel size in µm and typical diameter in pixels, as the model was trained."""

    name: str
    version: str
    digest: str
    pixel_size: float | None
    diameter: float | None


class Health(Answer):
    """The API answers, and so does its store."""

    status: Literal["ok"] = "ok"
    version: str


class Problem(Answer):
    """An error as RFC 9457 wants it; `detail` is one sentence for a person."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text.strip() or "something went wrong"
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def complaint(error: ValidationError) -> str:
    """What is wrong with a value, as one sentence that names it."""
    return describe(error.errors()[0]["loc"], error.errors()[0]["msg"], error.errors()[0].get("input"))


def describe(place: tuple[int | str, ...], message: str, value: object) -> str:
    """One of pydantic's findings as a sentence."""
    parts = [str(part).replace("_", " ") for part in place if part not in ("body", "query", "path", "options")]
    name = " ".join(parts) or "the request"
    if message == "Field required":
        return f"{name} is missing."
    if message.startswith("Extra inputs"):
        return f"there is nothing called {name} to be given."
    if place[-1:] and (limits := _limits().get(str(place[-1]))) and message.startswith("Input should be"):
        return f"{name} must be {limits}."
    told = f"{value!r}" if isinstance(value, str | int | float) and len(str(value)) < 100 else "not acceptable"
    return f"{name} is {told}: {message[0].lower()}{message[1:]}."


@cache
def _limits() -> dict[str, str]:
    """What each option may be, in words, by its name."""
    schema = Options.model_json_schema()["properties"]
    return {name: _range(schema[name]["anyOf"][0]) + unit for name, unit in _UNITS.items()}


def _range(number: dict[str, float]) -> str:
    if "minimum" in number:
        return f"from {number['minimum']:g} to {number['maximum']:g}"
    return f"between {number['exclusiveMinimum']:g} and {number['exclusiveMaximum']:g}"
