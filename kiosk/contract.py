"""What the API and its clients say to each other: the bodies of requests and answers under `/api/v1`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from storage.keys import MAX_NAME
from streams.events import LONGEST_DEADLINE, MAX_ADDRESS, MAX_MARK, Dollars, Options, ReasonClass

PREFIX = "/api/v1"
MOST_JOBS, MOST_REJECTED = 500, 10_000
"""So many jobs, or rejected images, are told of at once."""
IDEMPOTENCY_KEY = "Idempotency-Key"
"""A header that may carry a submission's mark."""
PART_SIZE = 16 * 1024**2
"""Bytes of an upload's part; the last one may be shorter."""
SMALL_UPLOAD = 100 * 1024**2
"""Up to so many bytes a file may be sent in one request."""
FULL = "The disk of the store is full: nothing more can be sent until somebody makes room there."
"""Told whether the API meets the full disk or the client does, which sends parts to the store itself."""

State = Literal["listing", "running", "done"]
Fate = Literal["labelled", "rejected", "cancelled", "in flight"]
Format = Literal["imagej", "qupath", "parquet"]
"""What results may hold besides what always comes: regions for ImageJ, objects for QuPath, the cells as Parquet."""
Mark = Annotated[str, Field(max_length=MAX_MARK)]
"""The sender's own mark of a submission: the same file and options under the same mark are the same job."""
DEADLINES = (60.0, LONGEST_DEADLINE)
"""Seconds."""
Deadline = Annotated[float, Field(ge=DEADLINES[0], le=DEADLINES[1], allow_inf_nan=False)]
"""Seconds after which images in flight are rejected; its clock stands still while a part of the system is away."""
Notify = Annotated[str, Field(max_length=MAX_ADDRESS)]
"""An address that is told when the job ends, by a signed message; empty: none."""


class Strict(BaseModel):
    """A request: what it doesn't know is a mistake of the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """An answer: a newer server may say more than this client knows."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NewUpload(Strict):
    """A file about to be sent in parts."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    """The file's own name, or its path in the sender's folder."""
    model: str = "nuclei"
    options: Options = Options()
    submission: Mark = ""
    deadline: Deadline | None = None
    budget: Dollars | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes of the file where they are known: very large files are sent in larger parts."""
    notify: Notify = ""
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """SHA-256 of its bytes: under one mark, files that differ in it are different submissions."""


class NewJob(Strict):
    """A small file sent as the body of one request; its options stand in the query."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    model: str = "nuclei"
    pixel_size: float | None = None
    """µm."""
    diameter: float | None = None
    """Pixels."""
    channel: int | None = None
    """Counted from 1."""
    submission: Mark = ""
    deadline: Deadline | None = None
    budget: Dollars | None = None
    notify: Notify = ""


class UploadStarted(Answer):
    """Where the parts belong."""

    upload: str
    """Names the upload in all further requests; empty where there is nothing to send."""
    key: str
    part_size: int
    """Bytes of every part but the last."""
    job: str = ""
    """The job that the same submission became before."""


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
    again: bool = False
    """The same submission was here before; nothing new begins."""
    signed_with: str = ""
    """What the message is signed with that tells of its end, where one was asked for (Standard Webhooks)."""


class CostView(Answer):
    """What a job costs, by the price file of this system; told up to a minute late."""

    dollars: float
    """So far."""
    at_completion: float | None
    """If the rest costs as much as the images that ended; none while nobody can tell."""
    per_million: float | None
    """Of such images; none before the first has ended."""
    parts: dict[str, float]
    """So far, by nodes, operations, traffic and storage."""
    without: list[str] = []
    """What is not in these figures, because nobody measures it or its price isn't known."""
    prices: str
    """Of which place, and how old the oldest figure is."""


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
    round_seconds: float | None = None
    """The same of the newest round alone; none where no images were sent through again."""
    refused: str = ""
    """Why the whole job can't be worked on; empty when it can."""
    round: int = 0
    """How often rejected images were sent through again."""
    deadline: float | None = None
    """Seconds after which images in flight are rejected."""
    held: str = ""
    """Why nothing is begun until somebody releases it; empty when it isn't held."""
    waiting: str = ""
    """What the work waits for, while the deadline's clock stands still; empty when it goes on."""
    cost: CostView | None = None
    """None where prices aren't known, and before anything was counted."""
    budget: float | None = None
    """Dollars that it may cost before it is held; none: as many as it takes."""

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


class CellsView(Answer):
    """The cells of one image: its size in pixels, and columns of one length."""

    image: int
    name: str
    planes: int
    height: int
    width: int
    pixel_size: float | None
    """µm."""
    columns: dict[str, list[float]]
    """By name; `plane` among them where there are several."""


class DoubtfulImage(Answer):
    """A labelled image that deserves a look before it is believed."""

    image: int
    name: str
    flags: list[str]
    """Why, in words: out of focus, saturated, no cells found, sizes unlike the others or the given diameter."""
    cells: int
    focus: float | None = None
    """Energy of fine detail over that of coarse detail near cells."""
    saturated: float | None = None
    """Share of pixels that have the last value a camera knows."""
    median_diameter_px: float | None = None


class Doubts(Answer):
    """The doubtful among a job's labelled images, of which the first so many were looked at."""

    looked_at: int
    images: list[DoubtfulImage]


class RejectedImage(Answer):
    """Why an image has no labels."""

    image: int
    name: str
    round: int = 0
    reason: ReasonClass
    message: str
    attempts: int = 1
    trace: str = ""
    """The id of the image's trace, which its Kafka messages carry."""
    event: dict[str, Any] = {}
    """The event that could not be worked on, as it was."""


class Replay(Strict):
    """Which of a job's rejected images to send through again; all where nothing is said."""

    reason: ReasonClass | None = None
    image: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    """An image's name; `*` and `?` stand for any characters."""
    deadline: Deadline | None = None
    """Of the new round; usually the job's."""


class Replayed(Answer):
    """So many images go through again, in a round of their own."""

    round: int
    images: int
    note: str = ""
    """What else there is to know, such as why there are none; a sentence."""


class Release(Strict):
    """How a held job goes on."""

    budget: Dollars | None = None
    """Dollars that it may cost in all from now on; none: as many as before."""


class HeldView(Answer):
    """A job or a model for which nothing is begun until somebody releases it."""

    kind: Literal["job", "model"]
    name: str
    why: str
    since: float
    """Seconds since 1970."""


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
    traces: bool = False
    """Whether traces are kept, so that it can be told where time went."""


class Problem(Answer):
    """An error as RFC 9457 wants it; `detail` is one sentence for a person."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
