"""An image's trace, from what its runs measured: spans for its stages, which follow without a gap, and their phases.

image                       from the moment its job was accepted, or sent through again, to its tick
├── unzip                   until the image was announced; `announce` in a replay
├── tile                    from the event's own timestamp; wait, look, fetch, decode, plan
├── predict                 wait, take, model (slot, queue, compute)
├── postprocess             look, post, store, announce
└── collect                 wait, for its turn to be ticked off
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from observability.tracing import JOB_ROOT, ROOT, span_id, trace_id
from observability.tracing.spans import Link, Span, Value
from streams.events import ImageEnded
from streams.runs import Run, Stretch
from streams.tracing.spent import Spent

OF_JOBS = ("unzip", "announce")
ALONE = (*OF_JOBS, "predict")
"""Chains whose runs are told of by whoever makes them, before the acknowledgement."""
SLIT = 30_000_000
"""Nanoseconds. Between two phases nothing is computed; on a busy machine the thread waits for the interpreter, and that
belongs to the phase before. What lies wider apart is a gap."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a job's records tell of all its images in a round: when it began (seconds since 1970), and the model."""

    begun: float
    model: str


@dataclass(frozen=True, slots=True)
class _Stage:
    """One stage's place in time, in nanoseconds since 1970."""

    name: str
    attempt: int
    begun: int
    ended: int

    def holds(self, at: int) -> bool:
        return self.begun <= at < self.ended


def image_spans(ended: ImageEnded, facts: Facts, collected: Spent) -> list[Span]:
    """All spans of an image that comes to be ticked off now."""
    now = collected.now()
    sent = round(collected.taken.sent * 1e9) if collected.taken else now
    begun = min(round(facts.begun * 1e9), _first(ended, sent))
    draw = _Draw(ended, begun, now)
    below = [*draw.lead_in(_first(ended, sent)), *draw.runs(sent), *draw.collect(sent)]
    return [draw.root(facts), *below]


def run_spans(job: str, image: int, round_: int, run: Run, ended: int) -> list[Span]:
    """The spans of one run whose image is not at its end, as of a tile among others."""
    draw = _Draw(ImageEnded(job=job, image=image, round=round_, outcome="labelled"), run.sent * 1000, ended)
    return list(draw.run(run, ended))


def job_spans(job: str, begun: float, run: Run, events: int, ended: int) -> list[Span]:
    """What a run of `unzip` or `announce` adds to its job's own trace; a listing is also its root and its upload.

    Parameters
    ----------
    begun
        When the job was accepted, in seconds since 1970.
    events
        How many it announced.
    ended
        When it had, in nanoseconds since 1970.
    """
    trace, sent = trace_id(job), run.sent * 1000
    root = span_id(trace, JOB_ROOT)
    about: dict[str, Value] = {"worker": run.by, "announced": events}
    stage = Span(trace, span_id(trace, run.chain, run.sent), root, run.chain, sent, max(sent, ended), about)
    if run.chain != "unzip":
        return [stage]
    accepted = min(round(begun * 1e9), sent)
    upload = Span(trace, span_id(trace, "upload"), root, "upload", accepted, sent)
    return [Span(trace, root, 0, JOB_ROOT, accepted, stage.ended, {"job": job}), upload, stage]


class _Draw:
    """Draws spans between two moments of one image's life; nothing sticks out, whatever clocks said."""

    def __init__(self, ended: ImageEnded, begun: int, now: int) -> None:
        self._ended = ended
        self._begun, self._now = begun, max(begun, now)
        self._trace = trace_id(ended.job, ended.image, ended.round)
        self._root = span_id(self._trace, ROOT)
        self._slits: list[int] = []
        """Nanoseconds that nothing had measured, and that were given to the phase before."""

    def root(self, facts: Facts) -> Span:
        ended = self._ended
        ran = ended.ran or ()
        about: dict[str, Value] = {
            "job": ended.job,
            "image": ended.image,
            "round": ended.round,
            "lane": str(ended.lane),
            "name": ran[-1].image if ran else "",
            "model": facts.model,
            "outcome": ended.outcome,
            "attempts": ran[-1].attempt + 1 if ran else 1,
            "slits_us": sum(self._slits) // 1000,
            "widest_slit_us": max(self._slits, default=0) // 1000,
        }
        if ended.reason:
            about["reason"] = ended.reason
        job = trace_id(ended.job)
        link = Link(job, span_id(job, JOB_ROOT))
        return Span(
            self._trace, self._root, 0, ROOT, self._begun, self._now, about, [link], ended.outcome == "rejected"
        )

    def lead_in(self, until: int) -> Iterator[Span]:
        """What came before the first event that somebody took on for this image."""
        ran = self._ended.ran or ()
        if ran and ran[0].chain == "unzip":
            return  # its listing told against it
        yield self._span(self._root, "announce" if self._ended.round else "unzip", self._begun, until)

    def runs(self, until: int) -> Iterator[Span]:
        ran = self._ended.ran or ()
        for run, following in pairwise((*ran, None)):
            if run is not None and not _is_told(run):
                yield from self.run(run, following.sent * 1000 if following else until)

    def run(self, run: Run, until: int) -> Iterator[Span]:
        stages = list(_stages(run, until))
        phases = sorted(_phases(run, until), key=lambda phase: phase.at)
        finer = iter(_finer(run))
        for number, stage in enumerate(stages):
            about: dict[str, Value] = {"attempt": stage.attempt + 1, "worker": run.by}
            if run.tile is not None:
                about["tile"] = run.tile
            what = (run.sent, run.tile, run.begun, number)  # whoever took it on after a death began later
            parent = self._span(self._root, stage.name, stage.begun, stage.ended, about, what)
            yield parent
            yield from self._inside(parent, [each for each in phases if stage.holds(_at(run, each))], run, finer)

    def collect(self, sent: int) -> Iterator[Span]:
        parent = self._span(self._root, "collect", sent, self._now)
        yield parent
        yield self._span(parent.span, "wait", sent, self._now)  # whoever tells again says when it began, too

    def _inside(
        self, stage: Span, phases: Sequence[Stretch], run: Run, finer: Iterator[Sequence[Stretch]]
    ) -> Iterator[Span]:
        ends = [_ends(run, phase) for phase in phases]
        for number, (phase, (begun, ended)) in enumerate(zip(phases, _closed(stage, ends, self._slits), strict=True)):
            span = self._span(stage.span, phase.phase, begun, min(ended, stage.ended), {}, (number,))
            yield span
            for place, part in enumerate(next(finer, ()) if phase.phase == "model" else ()):
                yield self._span(span.span, part.phase, *_ends(run, part), {}, (place,))

    def _span(
        self,
        parent: int,
        name: str,
        begun: int,
        ended: int,
        about: dict[str, Value] | None = None,
        what: tuple[object, ...] = (),
    ) -> Span:
        begun = min(max(begun, self._begun), self._now)
        ended = min(max(ended, begun), self._now)
        return Span(self._trace, span_id(self._trace, parent, name, *what), parent, name, begun, ended, about or {})


def _closed(stage: Span, ends: Sequence[tuple[int, int]], slits: list[int]) -> Iterator[tuple[int, int]]:
    """A stage's phases, from begin to end, without the slits between them, which are written down."""
    reached = stage.begun
    following = [begun for begun, _ in ends[1:]] + [stage.ended]
    for (begun, ended), until in zip(ends, following, strict=True):
        if 0 < begun - reached <= SLIT:
            slits.append(begun - reached)
            begun = reached
        if ended >= reached and 0 < until - ended <= SLIT:
            slits.append(until - ended)
            ended = until
        reached = max(reached, ended)
        yield begun, ended


def _is_told(run: Run) -> bool:
    """Whether it is a tile's, among others: its worker has told of it, or tells when it comes to it again."""
    return run.tile is not None and run.chain in ALONE


def _first(ended: ImageEnded, otherwise: int) -> int:
    """When the first event that somebody took on for this image was sent."""
    return ended.ran[0].sent * 1000 if ended.ran else otherwise


def _at(run: Run, stretch: Stretch) -> int:
    return (run.sent + stretch.at) * 1000


def _ends(run: Run, stretch: Stretch) -> tuple[int, int]:
    return _at(run, stretch), _at(run, stretch) + stretch.lasted * 1000


def _finer(run: Run) -> list[list[Stretch]]:
    """What lies within each `model`, in the order in which they begin: tiles overlap, and each starts with its slot."""
    tiles: list[list[Stretch]] = []
    for part in run.finer:
        if part.phase == "slot" or not tiles:
            tiles.append([])
        tiles[-1].append(part)
    return sorted(tiles, key=lambda tile: tile[0].at)


def _stages(run: Run, until: int) -> Iterator[_Stage]:
    """A run's stages, the first from when its event was sent, the last until what answers it was."""
    steps = [(step.stage, step.attempt, (run.sent + step.at) * 1000) for step in run.steps]
    steps = steps or [(run.chain.split("+")[0], run.attempt, 0)]
    done = (run.sent + _done(run)) * 1000 + 1000  # a record's time is cut off to milliseconds
    begins = [run.sent * 1000, *(at for _, _, at in steps[1:]), max(until, done)]
    for (name, attempt, _), (begun, ended) in zip(steps, pairwise(begins), strict=True):
        yield _Stage(name, attempt, begun, max(begun, ended))


def _phases(run: Run, until: int) -> Iterator[Stretch]:
    """What was measured, before it the wait for its turn, and after it the announcement."""
    yield Stretch("wait", 0, max(0, run.begun))
    yield from run.phases
    done = _done(run)
    yield Stretch("announce", done, max(0, until // 1000 - run.sent - done))


def _done(run: Run) -> int:
    """When the last phase of a run had ended."""
    return max((phase.at + phase.lasted for phase in run.phases), default=max(0, run.begun))
