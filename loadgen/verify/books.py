"""One job's books: what the bucket holds under its name, in a form small enough for a million images.

The order of reading matters while the job runs: what claims (done, tallies, the marker) is read before what it claims
to be there (outcomes), so that a claim never seems false only because it was made a moment later.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from loadgen.bucket import Bucket, Seen
from loadgen.verify import records
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.records import (
    DoneRecord,
    IndexRecord,
    JobRecord,
    OpenRecord,
    Record,
    RoundRecord,
    TallyRecord,
    Unreadable,
)
from storage import keys
from streams.events import MOST_IMAGES

Kept = TypeVar("Kept", bound=Record)


@dataclass
class Books:
    """What the bucket says of one job."""

    job: str
    record: JobRecord | None = None
    done: DoneRecord | None = None
    open: OpenRecord | None = None
    rounds: list[RoundRecord] = field(default_factory=list)
    cancelled: bool = False
    tallies: list[TallyRecord] = field(default_factory=list)
    index: IndexRecord | None = None
    labels: "array[float]" = field(default_factory=lambda: array("d"))
    """By image, when its label was stored; 0 where there is none."""
    rejections: dict[int, dict[int, float]] = field(default_factory=dict)
    """By image and round, when the rejection was stored."""
    unlisted: int = 0
    """Outcomes that are there although nothing says how many images the job has."""
    wrong: list[Anomaly] = field(default_factory=list)
    """What was noticed while reading."""

    @property
    def images(self) -> int:
        """How many images the job has; 0 while that is not known."""
        return len(self.labels)

    @property
    def finished(self) -> bool:
        """Whether the job says that it ended, and no round was opened after that."""
        return self.done is not None and all(each.round <= self.done.round for each in self.rounds)

    @cached_property
    def round_of(self) -> dict[int, int]:
        """The round that counts for an image, where that is not the first (0)."""
        rounds = sorted(self.rounds, key=lambda each: each.round)
        return {image: each.round for each in rounds for image in each.images}

    def is_rejected(self, image: int) -> bool:
        """Whether the image's rejection counts: there is no label, and it is of the image's own round."""
        return not self.labels[image] and self.round_of.get(image, 0) in self.rejections.get(image, ())

    def without_outcome(self) -> Iterator[int]:
        """The images that neither are labelled nor have a rejection that counts."""
        for image, labelled in enumerate(self.labels):
            if not labelled and not self.is_rejected(image):
                yield image

    @cached_property
    def counts(self) -> "Counts":
        """What became of the images."""
        labelled = sum(1 for stored in self.labels if stored)
        rejected = sum(1 for image in self.rejections if self.is_rejected(image))
        rest = self.images - labelled - rejected
        return Counts(self.images, labelled, rejected, rest * self.cancelled, rest * (not self.cancelled))


@dataclass(frozen=True, slots=True)
class Counts:
    """`images = labelled + rejected + cancelled + in_flight`."""

    images: int = 0
    labelled: int = 0
    rejected: int = 0
    cancelled: int = 0
    in_flight: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.images + other.images,
            self.labelled + other.labelled,
            self.rejected + other.rejected,
            self.cancelled + other.cancelled,
            self.in_flight + other.in_flight,
        )


def read_books(bucket: Bucket, job: str, tell: Callable[[int], None] = lambda count: None) -> Books:
    """A job's books; raises `BucketAway`.

    Parameters
    ----------
    bucket
        Where they lie.
    job
        The job.
    tell
        Hears how many outcomes were listed so far.
    """
    books = Books(job)
    books.tallies = list(_tallies(bucket, books))
    books.done = _record(bucket, keys.done(job), DoneRecord, books, Kind.TALLY)
    books.open = _record(bucket, keys.open_job(job), OpenRecord, books, Kind.LEFTOVER)
    books.rounds = list(_rounds(bucket, books))
    books.cancelled = bucket.get(keys.cancelled(job)) is not None
    books.record = _record(bucket, keys.job(job), JobRecord, books, Kind.MANIFEST)
    books.index = _record(bucket, keys.manifest_index(job), IndexRecord, books, Kind.MANIFEST)
    books.labels = array("d", bytes(8 * _size(books)))
    _read_outcomes(bucket, books, tell)
    books.wrong += _of_no_round(bucket, books)
    if books.unlisted and books.index is None and bucket.get(keys.manifest_index(job)) and not books.wrong:
        return read_books(bucket, job, tell)  # it was listed between two of our looks
    return books


def _size(books: Books) -> int:
    images = books.index.images if books.index else 0
    if 0 <= images <= MOST_IMAGES:
        return images
    books.wrong.append(Anomaly(Kind.MANIFEST, books.job, f"the manifest of job {books.job} counts {images} images"))
    return 0


def _record(bucket: Bucket, key: str, kind: type[Kept], books: Books, wrong: Kind) -> Kept | None:
    data = bucket.get(key)
    try:
        return None if data is None else records.read(kind, data)
    except Unreadable as why:
        books.wrong.append(Anomaly(wrong, books.job, f"{key} can't be read: {why}"))
        return None


def _tallies(bucket: Bucket, books: Books) -> Iterator[TallyRecord]:
    for found in list(bucket.list(keys.tallies(books.job))):
        data = bucket.get(found.key)
        round_, dot, _ = found.key.rsplit("/", 1)[1].partition(".")
        try:
            if data is not None:
                yield records.read_tally(data, int(round_) if dot and round_.isdecimal() else 0)
        except Unreadable as why:
            books.wrong.append(Anomaly(Kind.TALLY, books.job, f"{found.key} can't be read: {why}"))


def _rounds(bucket: Bucket, books: Books) -> Iterator[RoundRecord]:
    for found in list(bucket.list(keys.rounds(books.job))):
        round_ = _record(bucket, found.key, RoundRecord, books, Kind.MANIFEST)
        if round_ is not None:
            yield round_


def _read_outcomes(bucket: Bucket, books: Books, tell: Callable[[int], None]) -> None:
    count = 0
    for prefix, enter in (
        (keys.labels_prefix(books.job), _enter_label),
        (keys.rejected_prefix(books.job), _enter_rejection),
    ):
        for found in bucket.list(prefix):
            count += 1
            enter(books, found)
            if count % 1000 == 0:
                tell(count)
    tell(count)


def _enter_label(books: Books, found: Seen) -> None:
    image = _image(found.key)
    if not _belongs(books, found.key, image, keys.labels(books.job, image)):
        return
    books.labels[image] = max(found.modified, 1.0)


def _enter_rejection(books: Books, found: Seen) -> None:
    image, round_ = _image(found.key), _round(found.key)
    if _belongs(books, found.key, image, keys.rejection(books.job, image, round_)):
        books.rejections.setdefault(image, {})[round_] = found.modified


def _of_no_round(bucket: Bucket, books: Books) -> Iterator[Anomaly]:
    """Rejections of a round that nobody asked for. A round that was begun while we looked is there by now."""
    known = {0, *(each.round for each in books.rounds)}
    found = [(image, round_) for image, rounds in sorted(books.rejections.items()) for round_ in rounds]
    strange = [(image, round_) for image, round_ in found if round_ not in known]
    there = {_number(seen.key) for seen in bucket.list(keys.rounds(books.job))} if strange else set()
    for image, round_ in strange:
        if round_ not in there:
            key = keys.rejection(books.job, image, round_)
            sentence = f"{key} is of round {round_}, and there is no such round"
            yield Anomaly(Kind.ORPHAN, books.job, sentence, image)


def _number(key: str) -> int:
    """The number of a replay, from its key."""
    number = key.rsplit("/", 1)[1].split(".")[0]
    return int(number) if number.isdecimal() else -1


def _belongs(books: Books, key: str, image: int, proper: str) -> bool:
    """Whether an outcome is that of an image of the job, under the one key it may have."""
    if books.index is None:
        books.unlisted += 1  # said once for the whole job, and not again for each image
        return False
    if 0 <= image < books.images and key == proper:
        return True
    why = "is no key that an outcome may have" if key != proper else f"is beyond the job's {books.images} images"
    books.wrong.append(Anomaly(Kind.ORPHAN, books.job, f"{key} {why}", image if image >= 0 else None))
    return False


def _image(key: str) -> int:
    try:
        return keys.image_of(key)
    except ValueError:
        return -1


def _round(key: str) -> int:
    pieces = key.rsplit("/", 1)[1].split(".")
    return int(pieces[1]) if len(pieces) == 3 and pieces[1].isdecimal() else -1
