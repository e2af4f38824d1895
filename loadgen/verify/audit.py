"""The audit: topics first, then the buckets that must bear them out, then what was announced meanwhile.

In this order nothing that happens while we look can seem wrong: an event is sent after its object is durable, a tally
is written after its event, and a job ends after its tallies.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from loadgen.bucket import Bucket
from loadgen.topics import Topics
from loadgen.verify import announced, checks, leftovers, manifest, records, tenants, uploads
from loadgen.verify.announced import OUTCOMES, Announced, Outcomes, Silent
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.archive import Listed, NotCompared, unlisted
from loadgen.verify.books import Books, read_books
from loadgen.verify.checks import Moment
from loadgen.verify.files import label_problem, rejection_problem
from loadgen.verify.records import DeletedRecord, Entry, JobRecord, Unreadable
from loadgen.verify.report import Report, Row
from loadgen.verify.uploads import UPLOADS, Uploads, read_uploads
from storage import keys

THREADS = 16
Tell = Callable[[str, int, int | None], None]
"""Hears what is being read, how much of it was, and of how much if that is known."""


class NoSuchJob(Exception):
    """A job that was asked for by name is not in the bucket."""


def verify(
    bucket: Bucket,
    topics: Topics | None,
    moment: Moment,
    jobs: Sequence[str] = (),
    checksums: bool = True,
    tell: Tell = lambda what, count, total: None,
) -> Report:
    """Audit jobs, or all there are; raises `BucketAway`, `TopicsAway`, `NoSuchJob`.

    Parameters
    ----------
    bucket
        Where everything lies.
    topics
        Where it was announced; none leaves out what only they can tell.
    moment
        Now, and whether all work should have ended.
    jobs
        Only these.
    checksums
        Whether every outcome is read, and not only listed.
    tell
        Hears of the progress.
    """
    return _Audit(bucket, topics, moment, frozenset(jobs), checksums, tell).run()


@dataclass(slots=True)
class _Audit:
    bucket: Bucket
    topics: Topics | None
    moment: Moment
    named: frozenset[str]
    checksums: bool
    tell: Tell
    report: Report = field(default_factory=Report)
    outcomes: Outcomes = field(default_factory=Outcomes)
    accepted: list[JobRecord] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    silent: dict[str, list[Silent]] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)
    apart: list[str] = field(default_factory=list)
    """Why archives were not compared with their manifests."""

    def run(self) -> Report:
        """The whole audit."""
        seen = self._read_topics()
        there = self._jobs()
        gone = list(self._deleted())
        known = [job for job in there if job not in {each.job for each in gone}]
        with ThreadPoolExecutor(THREADS, "verify") as pool:
            for job in known:
                self._audit(job, pool)
        take = self.report.findings.take
        take(tenants.strange(self.accepted))
        if not self.named:
            take(uploads.twice(self.accepted))
            take(uploads.lost(seen, self.accepted, gone, self.bucket, self.moment.settled))
            take(uploads.untaken(self.bucket, self.accepted, gone, self.moment))
            take(tenants.misplaced(self.bucket))
            take(self._ghosts({*known, *(each.job for each in gone)}))
        take(self._leftovers(known, gone))
        self._say_what_stands_apart()
        self._look_again()
        return self.report

    def _read_topics(self) -> Uploads:
        if self.topics is None:
            self.report.notes.append("The topics were not read: nothing is said of announcements and lost uploads.")
            return Uploads()
        seen = Uploads() if self.named else read_uploads(self.topics)
        self.forgotten = self.topics.forgotten(OUTCOMES)
        self.outcomes.take(self.topics.read(OUTCOMES), lambda count: self.tell(OUTCOMES, count, None))
        self._say_what_is_forgotten(seen)
        return seen

    def _say_what_is_forgotten(self, seen: Uploads) -> None:
        for topic, partitions in ((OUTCOMES, self.forgotten), (UPLOADS, seen.forgotten)):
            if partitions:
                self.report.notes.append(
                    f"The topic {topic} no longer has its first records in {len(partitions)} of its partitions: "
                    "nothing is said of what may have stood there."
                )

    def _deleted(self) -> Iterator[DeletedRecord]:
        for found in list(self.bucket.list(keys.DELETED)):
            try:
                yield records.read(DeletedRecord, self.bucket.get(found.key) or b"")
            except Unreadable:
                yield DeletedRecord(job=found.key.removeprefix(keys.DELETED), deleted=found.modified)

    def _jobs(self) -> list[str]:
        known = tenants.jobs(self.bucket)
        missing = sorted(self.named - known)
        if missing:
            raise NoSuchJob(f"there is no job {' and no job '.join(missing)} in the bucket")
        return sorted(self.named or known)

    def _audit(self, job: str, pool: ThreadPoolExecutor) -> None:
        books = read_books(self.bucket, job, lambda count: self.tell(f"{job}: outcomes listed", count, None))
        events, take = self.outcomes.of(job), self.report.findings.take
        take(checks.check(books, self.moment))
        take(self._files(books, pool))
        if self.topics is not None:
            take(announced.without_object(books, events))
            take(announced.beyond(books, events))
            self._note_silent(books, events)
        self.report.rows.append(_row(books, events))
        self.accepted += [books.record] if books.record else []
        self.finished |= {job} if books.finished else set()

    def _note_silent(self, books: Books, events: Announced) -> None:
        """Kept until the end: who stored an outcome a moment ago may be about to say so."""
        if self.forgotten and not (events.partitions and events.partitions.isdisjoint(self.forgotten)):
            return
        if not books.cancelled:  # what landed after the cancellation is acknowledged silently
            self.silent[books.job] = list(announced.silent(books, events))

    def _files(self, books: Books, pool: ThreadPoolExecutor) -> Iterator[Anomaly]:
        found: list[Anomaly] = []
        listed = Listed()
        for entries in manifest.shards(self.bucket, books, found):
            listed.take(entries)
            if self.checksums:
                yield from filter(None, pool.map(lambda entry: self._file(books, entry), entries))
                done = entries[-1].image + 1 if entries else 0
                self.tell(f"{books.job}: outcomes read", done, books.images)
        yield from found
        try:
            yield from unlisted(self.bucket, books, listed)
        except NotCompared as why:
            self.apart.append(str(why))

    def _file(self, books: Books, entry: Entry) -> Anomaly | None:
        """Read the outcome of an image that counts; one that vanished since it was listed is another check's matter."""
        round_ = books.round_of.get(entry.image, 0)
        if books.labels[entry.image]:
            key = keys.labels(books.job, entry.image)
            data = self.bucket.get(key)
            problem = label_problem(data, entry, books.record) if data is not None else ""
        elif books.is_rejected(entry.image):
            key = keys.rejection(books.job, entry.image, round_)
            data = self.bucket.get(key)
            problem = rejection_problem(data, entry, books.job, round_) if data is not None else ""
        else:
            return None
        return Anomaly(Kind.CHECKSUM, books.job, f"{key} {problem}", entry.image) if problem else None

    def _say_what_stands_apart(self) -> None:
        if self.apart:
            said = f"{len(self.apart)} archives were not compared with what their jobs list. The first:"
            self.report.notes.append(f"{said} {self.apart[0]}.")

    def _leftovers(self, known: list[str], gone: list[DeletedRecord]) -> Iterator[Anomaly]:
        chosen = (lambda job: job in self.named) if self.named else (lambda job: True)
        spared = {*known, *(each.job for each in gone if not leftovers.is_overdue(each, self.moment))}
        yield from leftovers.scratch(self.bucket, self.finished, spared, chosen, self.moment)
        yield from leftovers.markers(self.bucket, spared, chosen, self.moment)
        yield from leftovers.deleted(self.bucket, gone, chosen, self.moment)

    def _ghosts(self, known: set[str]) -> Iterator[Anomaly]:
        for job, events in self.outcomes.jobs.items():
            if job not in known:
                sentence = f"{events.events} outcomes were announced of job {job}, which does not exist"
                yield Anomaly(Kind.ORPHAN, job, sentence)

    def _look_again(self) -> None:
        """Hear what was announced since, and judge the silence that is left."""
        if self.topics is not None and any(self.silent.values()):
            self.outcomes.take(self.topics.read(OUTCOMES))
        young = 0
        for job, waiting in self.silent.items():
            left = [each for each in waiting if not each.told(self.outcomes.of(job))]
            old = [each for each in left if self.moment.judges(each.stored, announced.TOLD_SECONDS)]
            young += len(left) - len(old)
            self.report.findings.take(each.anomaly(job) for each in old)
        if young:
            self.report.notes.append(f"{young} outcomes are too young to be judged for not being announced.")
        if self.outcomes.unreadable:
            self.report.notes.append(f"{self.outcomes.unreadable} records on {OUTCOMES} are no outcomes.")


def _row(books: Books, events: Announced) -> Row:
    state = "cancelled" if books.cancelled else "done" if books.finished else "running" if books.index else "listing"
    return Row(books.job, books.counts, state, events.events, events.repeated, events.overruled)
