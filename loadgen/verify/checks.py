"""What a job's books, once read, can't be right about. Each check is a function from books to anomalies."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.books import Books
from loadgen.verify.records import DAY, DoneRecord

LOOK_SECONDS = 180.0
"""Whoever looks after deadlines does so once a minute; three looks missed, and nobody does."""
OUTLIVED = 6 * DAY
"""However long parts of the system were away, nothing waits longer than that."""
CLOCK_SECONDS = 2.0
"""A store's clock shows whole seconds, and may be off by one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When the audit happens, and whether all work should have ended by then."""

    now: float
    settled: bool = False

    def judges(self, since: float, seconds: float) -> bool:
        """Whether what stands since then should be in order by now: it had so many seconds for that."""
        return self.settled or self.now - since > seconds


def check(books: Books, moment: Moment) -> Iterator[Anomaly]:
    """Everything that the bucket's own objects contradict."""
    yield from books.wrong
    yield from _unlisted(books)
    yield from _lost(books, moment)
    yield from _late(books, moment)
    yield from _tallies(books)
    if books.done is not None and books.finished and books.index is not None:
        yield from _done(books, books.done)
    yield from _open(books, moment)


def _unlisted(books: Books) -> Iterator[Anomaly]:
    if books.record is None and not books.wrong:
        yield Anomaly(Kind.ORPHAN, books.job, f"objects lie under job {books.job}, and it was never accepted")
    elif books.index is None and (books.unlisted or books.done) and not books.wrong:
        what = f"{books.unlisted} outcomes" if books.unlisted else "an end"
        yield Anomaly(Kind.MANIFEST, books.job, f"job {books.job} has {what}, and no index of its images")


def _lost(books: Books, moment: Moment) -> Iterator[Anomaly]:
    if books.cancelled or not (books.finished or moment.settled):
        return
    when = "is done" if books.finished else "should have ended"
    if books.index is None and books.record is not None and not books.unlisted:
        yield Anomaly(Kind.LOST, books.job, f"job {books.job} {when}, and its images were never listed")
    for image in books.without_outcome() if books.counts.in_flight else ():
        yield Anomaly(Kind.LOST, books.job, f"job {books.job} {when}, and image {image} has no outcome", image)


def _late(books: Books, moment: Moment) -> Iterator[Anomaly]:
    """In flight past the deadline of their round: by the clock that stands still in outages, or by any clock."""
    if books.cancelled or books.finished or books.record is None:
        return
    terms = {0: (books.record.created, books.record.deadline)}
    terms |= {each.round: (each.created, each.deadline) for each in books.rounds}
    waiting = Counter(books.round_of.get(image, 0) for image in books.without_outcome())
    for number, images in sorted(waiting.items()) if books.index else [(0, 0)]:
        begun, seconds = terms[number]
        if _is_past(books, moment.now, begun, seconds, number):
            what = f"{images} images of round {number} are in flight" if images else "its images were never listed"
            sentence = f"job {books.job} was given {seconds:.0f} s, {moment.now - begun:.0f} s ago, and {what}"
            yield Anomaly(Kind.DEADLINE, books.job, sentence)


def _is_past(books: Books, now: float, begun: float, seconds: float, number: int) -> bool:
    clock = books.open
    if now - begun <= seconds + LOOK_SECONDS:
        return False
    if clock is None or now - clock.looked > LOOK_SECONDS or now - begun > OUTLIVED:
        return True  # nobody looks after it, or for too long
    return clock.counted + clock.ahead.get(number, 0.0) > seconds + LOOK_SECONDS


def _tallies(books: Books) -> Iterator[Anomaly]:
    """A tally was read before the outcomes, so each of its bits must have its object; missing bits may still come."""
    if books.index is None:
        return
    for tally in books.tallies:
        for image in _bits(tally.labelled):
            if image >= books.images or not books.labels[image]:
                yield _too_many(books, image, "labelled", "label")
        for image in _bits(tally.rejected):
            if image >= books.images or tally.round not in books.rejections.get(image, ()):
                yield _too_many(books, image, f"rejected in round {tally.round}", "such rejection")


def _too_many(books: Books, image: int, how: str, what: str) -> Anomaly:
    sentence = f"a tally of job {books.job} counts image {image} as {how}, and there is no {what}"
    return Anomaly(Kind.TALLY, books.job, sentence, image)


def _bits(bitmap: int) -> Iterator[int]:
    """The numbers of the bits that are set, in order."""
    for place, byte in enumerate(bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")):
        if byte:
            yield from (8 * place + bit for bit in range(8) if byte >> bit & 1)


def _done(books: Books, done: DoneRecord) -> Iterator[Anomaly]:
    """The end's counts; what was labelled after the end may be counted either way."""
    counts = books.counts
    late = sum(1 for image in range(books.images) if _labelled_late(books, image, done))
    fits = (
        done.images == counts.images
        and done.labelled + done.rejected + done.cancelled == done.images
        and counts.labelled - late <= done.labelled <= counts.labelled
        and counts.rejected <= done.rejected <= counts.rejected + late
    )
    if not fits:
        said = f"{done.labelled} labelled, {done.rejected} rejected and {done.cancelled} cancelled of {done.images}"
        there = f"{counts.labelled} labels and {counts.rejected} rejections of {counts.images}"
        yield Anomaly(Kind.TALLY, books.job, f"job {books.job} ended with {said}, and there are {there}")


def _labelled_late(books: Books, image: int, done: DoneRecord) -> bool:
    """Whether a label may have come after the end: over a rejection, or over a cancellation."""
    after = books.labels[image] > done.finished - CLOCK_SECONDS
    return after and (books.cancelled or image in books.rejections)


def _open(books: Books, moment: Moment) -> Iterator[Anomaly]:
    if books.finished and books.done and books.open is not None and moment.judges(books.done.finished, LOOK_SECONDS):
        sentence = f"job {books.job} is done, and is still marked as open"
        yield Anomaly(Kind.LEFTOVER, books.job, sentence)
