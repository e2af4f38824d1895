"""Whether every image that ended has exactly one complete trace, as the bucket and Jaeger say.

Ids are derived here once more, from their published rule: the first 16 bytes of BLAKE2b over `job/image/round`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from loadgen.bucket import Bucket
from loadgen.jaeger import Span, Traces
from loadgen.verify.books import Books, read_books

THREADS = 8
EXAMPLES = 10
GAP = 0.01
"""Of an image's whole time: the longest stretch that nobody may account for."""
ROOT = "image"
LABELLED = ("tile", "predict", "postprocess", "collect")
"""What a labelled image has passed through, after it was found."""
PAIRS = (
    ("tile", "wait"),
    ("tile", "look"),
    ("tile", "fetch"),
    ("tile", "decode"),
    ("tile", "plan"),
    ("predict", "take"),
    ("predict", "model"),
    ("model", "slot"),
    ("model", "compute"),
    ("postprocess", "post"),
    ("postprocess", "announce"),
    ("collect", "wait"),
)
"""What its last attempt has spent time on. A new phase is one line here."""


ONCE = ("wait", "look")
"""Before the first attempt, and not again."""


class NoSuchJob(Exception):
    """The job is not in the bucket, or has not been listed yet."""


class End(NamedTuple):
    """One image's end in one round."""

    image: int
    round: int
    outcome: str


@dataclass
class TraceReport:
    """How many images ended and have a complete trace; how much of their time their traces account for."""

    job: str
    images: int = 0
    complete: int = 0
    wall: int = 0
    covered: int = 0
    widest: float = 0.0
    """The largest gap, as a part of its image's time."""
    widest_slit: float = 0.0
    """The largest stretch that nobody measured and the trace gives to the phase before it, as a part of that time."""
    wide_slits: int = 0
    """Images of which such a stretch is longer than a gap may be."""
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """What part of all images' time is covered by their phases."""
        return self.covered / self.wall if self.wall else 0.0

    def take(self, end: End, judged: "Judged") -> None:
        """Count one image."""
        self.images += 1
        self.complete += not judged.problems
        self.wall += judged.wall
        self.covered += judged.covered
        self.widest = max(self.widest, judged.widest)
        self.widest_slit = max(self.widest_slit, judged.widest_slit)
        self.wide_slits += judged.widest_slit > GAP
        self.problems.update(problem.split(":")[0] for problem in judged.problems)
        if judged.problems and len(self.examples) < EXAMPLES:
            self.examples.append(f"image {end.image} in round {end.round}: {'; '.join(judged.problems)}")

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "job": self.job,
            "images": self.images,
            "complete": self.complete,
            "coverage": round(self.coverage, 5),
            "widest_gap": round(self.widest, 5),
            "widest_slit": round(self.widest_slit, 5),
            "slits_over_1_percent": self.wide_slits,
            "problems": dict(self.problems),
            "examples": self.examples,
        }


@dataclass(slots=True)
class Judged:
    """One trace: what is wrong with it, and how much of its time (in nanoseconds) is accounted for."""

    problems: list[str] = field(default_factory=list)
    wall: int = 0
    covered: int = 0
    """Without what nobody measured, though the trace gives it to a phase."""
    widest: float = 0.0
    widest_slit: float = 0.0


def verify(bucket: Bucket, traces: Traces, job: str) -> TraceReport:
    """Check all images of a job that ended; raises `BucketAway`, `JaegerAway`, `NoSuchJob`."""
    books = read_books(bucket, job)
    if books.record is None or not books.images:
        raise NoSuchJob(f"there is no job {job}, or nobody has listed its images yet")
    report, ends = TraceReport(job), list(_ends(books))
    with ThreadPoolExecutor(THREADS, "traces") as pool:
        strays = _strays(traces, job, list(_told(traces, job, ends, pool, report)), len(ends))
    report.problems.update({"stray": len(strays)} if strays else {})
    report.complete -= min(len({image for image, _ in strays}), report.complete)
    report.examples += [f"image {image} has another trace, {trace}" for image, trace in strays[:EXAMPLES]]
    return report


def judge(spans: Sequence[Span], end: End) -> Judged:
    """What one image's trace is worth."""
    judged = Judged()
    roots = [span for span in spans if not span.parent]
    if len(roots) != 1:
        judged.problems = [f"{'several roots' if roots else 'no trace'}: {len(spans)} spans"]
        return judged
    [root] = roots
    judged.problems += _unrelated(spans)
    judged.problems += _missing(spans, root, end)
    _measure(spans, root, judged)
    return judged


def trace_of(job: str, image: int, round_: int) -> str:
    """The id of an image's trace."""
    return hashlib.blake2b(f"{job}/{image}/{round_}".encode(), digest_size=16).hexdigest()


def _ends(books: Books) -> Iterator[End]:
    for image, labelled in enumerate(books.labels):
        for round_ in books.rejections.get(image, ()):
            yield End(image, round_, "rejected")
        if labelled and books.round_of.get(image, 0) not in books.rejections.get(image, ()):
            yield End(image, books.round_of.get(image, 0), "labelled")


def _told(traces: Traces, job: str, ends: Sequence[End], pool: Executor, report: TraceReport) -> Iterator[Span]:
    """Judge all traces; gives the roots."""
    found = pool.map(lambda end: traces.trace(trace_of(job, end.image, end.round)), ends)
    for end, spans in zip(ends, found, strict=True):
        report.take(end, judge(spans, end))
        yield from (span for span in spans if not span.parent)


def _strays(traces: Traces, job: str, roots: Sequence[Span], images: int) -> list[tuple[str, str]]:
    """Roots that tell of the job's images in traces that are not theirs: (image, trace)."""
    if not roots:
        return []
    first, last = min(root.begun for root in roots), max(root.ended for root in roots)
    known = {root.trace for root in roots}
    others = traces.roots(ROOT, first - 10**9, last + 10**9, 2 * images + 1000)
    return sorted({(each.about.get("image", ""), each.trace) for each in others if _is_stray(each, job, known)})


def _is_stray(root: Span, job: str, known: set[str]) -> bool:
    about = root.about
    ids = about.get("image", ""), about.get("round", "0")
    derived = trace_of(job, int(ids[0]), int(ids[1])) if all(map(str.isdecimal, ids)) else ""
    return about.get("job") == job and root.trace not in known and root.trace != derived


def _unrelated(spans: Sequence[Span]) -> Iterator[str]:
    ids = {span.span for span in spans}
    lost = [span for span in spans if span.parent and span.parent not in ids]
    if lost:
        yield f"no parent: {len(lost)} spans, the first {lost[0].name}"
    if len(ids) != len({(span.span, span.begun) for span in spans}):
        yield "told twice: spans of one id with different times"


def _missing(spans: Sequence[Span], root: Span, end: End) -> Iterator[str]:
    if root.about.get("outcome") != end.outcome:
        yield f"outcome: the trace says {root.about.get('outcome')}, the bucket {end.outcome}"
    found = [span for span in spans if span.parent == root.span]
    names = {span.name for span in found}
    lead = "announce" if end.round else "unzip"
    expected = (lead, *LABELLED) if end.outcome == "labelled" else (lead, "collect")
    for name in expected:
        if name not in names:
            yield f"no {ROOT} > {name}"
    last = {span.name: span.span for span in sorted(found, key=lambda span: span.begun)}
    models = [span for span in spans if span.name == "model" and span.parent == last.get("predict")]
    last |= {"model": models[-1].span} if models else {}
    pairs = {(span.parent, span.name) for span in spans}
    for stage, phase in PAIRS if end.outcome == "labelled" else PAIRS[-1:]:
        within = {span.span for span in found if span.name == stage} if phase in ONCE else {last.get(stage)}
        if stage in last and not any((parent, phase) in pairs for parent in within):
            yield f"no {stage} > {phase}"


def _measure(spans: Sequence[Span], root: Span, judged: Judged) -> None:
    """How much of the root's time phases cover, and the widest stretch that they don't; a stage without is one."""
    stages = {span.span for span in spans if span.parent == root.span}
    split = {span.parent for span in spans} & stages
    phases = [span for span in spans if span.parent in split or span.span in stages - split]
    reached, widest = root.begun, 0
    for phase in (*sorted(phases, key=lambda span: span.begun), root._replace(begun=root.ended)):
        widest = max(widest, phase.begun - reached)
        judged.covered += max(0, min(phase.ended, root.ended) - max(reached, phase.begun))
        reached = max(reached, phase.ended)
    judged.wall = root.ended - root.begun
    judged.covered = max(0, judged.covered - 1000 * int(root.about.get("slits_us", "0")))
    judged.widest = widest / judged.wall if judged.wall else 0.0
    judged.widest_slit = 1000 * int(root.about.get("widest_slit_us", "0")) / judged.wall if judged.wall else 0.0
    if judged.widest > GAP:
        judged.problems.append(f"gap: {judged.widest:.1%} of {judged.wall / 1e9:.2f} s")
