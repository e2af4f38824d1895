"""What the topic `outcomes` says. An event is a hint, never a number; but each has its object, and each outcome one.

One byte an image says whether its label was announced; rejections are few, and kept as they are.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from loadgen.topics import Record
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.books import Books
from storage import keys
from streams.events import ImageEnded, NewerEvent, NotAnEvent

OUTCOMES = ImageEnded.topic
TOLD_SECONDS = 180.0
"""Within so many seconds after an outcome was stored somebody says so, even if whoever stored it died."""
TELL_EVERY = 5000


@dataclass(slots=True)
class Announced:
    """The outcome events of one job."""

    labelled: dict[int, bytearray] = field(default_factory=dict)
    """By shard of 1,000: one byte an image."""
    rejected: set[tuple[int, int]] = field(default_factory=set)
    """Image and round."""
    partitions: set[int] = field(default_factory=set)
    events: int = 0
    repeated: int = 0
    """Events that said what another had said before: a redelivery, not an anomaly."""

    def enter(self, ended: ImageEnded, partition: int) -> None:
        """Note an event."""
        self.events += 1
        self.partitions.add(partition)
        self.repeated += self.has(ended)
        if ended.outcome == "labelled":
            shard, image = divmod(ended.image, keys.SHARD)
            self.labelled.setdefault(shard, bytearray(keys.SHARD))[image] = 1
        else:
            self.rejected.add((ended.image, ended.round))

    def has(self, ended: ImageEnded) -> bool:
        """Whether the same was said before."""
        if ended.outcome == "labelled":
            return self.has_label(ended.image)
        return (ended.image, ended.round) in self.rejected

    def has_label(self, image: int) -> bool:
        """Whether the image was announced as labelled."""
        shard, image = divmod(image, keys.SHARD)
        return shard in self.labelled and self.labelled[shard][image] == 1

    def labels(self) -> Iterator[int]:
        """The images that were announced as labelled."""
        for shard, images in self.labelled.items():
            yield from (shard * keys.SHARD + image for image, said in enumerate(images) if said)

    @property
    def overruled(self) -> int:
        """Images announced as rejected and as labelled: the label counts."""
        return len({image for image, _ in self.rejected if self.has_label(image)})


@dataclass(slots=True)
class Outcomes:
    """The outcome events of all jobs, by job."""

    jobs: dict[str, Announced] = field(default_factory=dict)
    unreadable: int = 0

    def take(self, found: Iterable[Record], tell: Callable[[int], None] = lambda count: None) -> None:
        """Note every event among the records."""
        for count, record in enumerate(found, 1):
            self._enter(record)
            if count % TELL_EVERY == 0:
                tell(count)

    def of(self, job: str) -> Announced:
        """The events of one job; those of a job without any are empty."""
        return self.jobs.get(job) or Announced()

    def _enter(self, record: Record) -> None:
        try:
            ended = ImageEnded.decode(record.value)
        except (NotAnEvent, NewerEvent):
            self.unreadable += 1
        else:
            self.jobs.setdefault(ended.job, Announced()).enter(ended, record.partition)


def without_object(books: Books, announced: Announced) -> Iterator[Anomaly]:
    """Announced outcomes that are not in the bucket. The events must have been read before the books."""
    for image in announced.labels():
        if image < books.images and not books.labels[image]:
            yield Anomaly(
                Kind.WITHOUT_OBJECT,
                books.job,
                f"image {image} of job {books.job} was announced as labelled, and there is no label",
                image,
            )
    for image, round_ in sorted(announced.rejected):
        if image < books.images and round_ not in books.rejections.get(image, ()):
            yield Anomaly(
                Kind.WITHOUT_OBJECT,
                books.job,
                f"image {image} of job {books.job} was announced as rejected in round {round_}, "
                "and there is no such rejection",
                image,
            )


def beyond(books: Books, announced: Announced) -> Iterator[Anomaly]:
    """Events of images that the job doesn't have."""
    if books.index is None:
        return
    images = {image for image, _ in announced.rejected} | set(announced.labels())
    for image in sorted(image for image in images if image >= books.images):
        sentence = f"image {image} of job {books.job} was announced, and the job has {books.images} images"
        yield Anomaly(Kind.ORPHAN, books.job, sentence, image)


@dataclass(frozen=True, slots=True)
class Silent:
    """An outcome that counts and of which no event was read so far."""

    image: int
    round: int | None
    """None for a label."""
    stored: float

    def told(self, announced: Announced) -> bool:
        """Whether an event was read meanwhile."""
        if self.round is None:
            return announced.has_label(self.image)
        return (self.image, self.round) in announced.rejected

    def anomaly(self, job: str) -> Anomaly:
        """What to say when no event comes."""
        what = "label" if self.round is None else f"rejection of round {self.round}"
        sentence = f"the {what} of image {self.image} of job {job} is stored, and was never announced"
        return Anomaly(Kind.UNANNOUNCED, job, sentence, self.image)


def silent(books: Books, announced: Announced) -> Iterator[Silent]:
    """The outcomes that count and were not announced, so far."""
    for image, stored in enumerate(books.labels):
        if stored and not announced.has_label(image):
            yield Silent(image, None, stored)
    for image, rounds in sorted(books.rejections.items()):
        round_ = books.round_of.get(image, 0)
        if books.is_rejected(image) and (image, round_) not in announced.rejected:
            yield Silent(image, round_, rounds[round_])
