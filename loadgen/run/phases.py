"""Where an image's time went, without a rest: each moment between being due and its end belongs to one phase.

late                the machine that sends was not free
upload              until its zip was accepted
unzip               until somebody announced the image
tile.wait, ...      a phase of a stage, as the stage measured it
unmeasured          what nobody measured, such as the pauses between two phases
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.runs import Run

LATE, UPLOAD, UNZIP, UNMEASURED = "late", "upload", "unzip", "unmeasured"
FINER = "model."
"""Before the parts of the phase `predict.model`, which are told beside it and not counted once more."""


class Moments(NamedTuple):
    """What bounds an image's phases, in seconds since 1970."""

    due: float
    begun: float
    accepted: float
    ended: float


class _Piece(NamedTuple):
    phase: str
    begun: float
    ended: float


def spent(moments: Moments, runs: Sequence[Run]) -> dict[str, float]:
    """The seconds of each phase; together they are what lies between being due and the end.

    Where two phases overlap, as those of tiles do, the moments that they share belong to the one that began first.
    Without runs nobody measured what came after the upload.
    """
    seconds: dict[str, float] = {}
    reached = moments.due
    for piece in sorted(_pieces(moments, runs), key=lambda piece: piece.begun):
        begun, ended = (min(max(at, moments.due), moments.ended) for at in piece[1:])
        if begun > reached:
            seconds[UNMEASURED] = seconds.get(UNMEASURED, 0.0) + begun - reached
        if ended > max(begun, reached):
            seconds[piece.phase] = seconds.get(piece.phase, 0.0) + ended - max(begun, reached)
        reached = max(reached, ended)
    if moments.ended > reached:
        seconds[UNMEASURED] = seconds.get(UNMEASURED, 0.0) + moments.ended - reached
    return seconds


def finer(runs: Sequence[Run]) -> dict[str, float]:
    """The seconds that requests to the model spent waiting for a slot, in its queue and computing, of all tiles."""
    seconds: dict[str, float] = {}
    for run in runs:
        for part in run.finer:
            name = FINER + part.phase
            seconds[name] = seconds.get(name, 0.0) + part.lasted / 1e6
    return seconds


def _pieces(moments: Moments, runs: Sequence[Run]) -> Iterator[_Piece]:
    yield _Piece(LATE, moments.due, moments.begun)
    yield _Piece(UPLOAD, moments.begun, moments.accepted)
    if runs:
        yield _Piece(UNZIP, moments.accepted, runs[0].sent / 1e6)
    following = [run.sent / 1e6 for run in runs[1:]]
    for run, until in zip(runs, [*following, moments.ended], strict=False):
        yield from _of_run(run, until)


def _of_run(run: Run, until: float) -> Iterator[_Piece]:
    sent, first = run.sent / 1e6, run.chain.split("+")[0]
    done = sent + max(0, run.begun) / 1e6
    yield _Piece(f"{first}.wait", sent, done)
    for phase, at, lasted in run.phases:
        begun, ended = sent + at / 1e6, sent + (at + lasted) / 1e6
        yield _Piece(f"{_stage(run, at)}.{phase}", begun, ended)
        done = max(done, ended)
    last = run.steps[-1].stage if run.steps else first
    yield _Piece(f"{last}.announce", done, until)


def _stage(run: Run, at: int) -> str:
    """The stage at work at that moment: the last that had begun."""
    begun = [step.stage for step in run.steps if step.at <= at]
    return begun[-1] if begun else run.chain.split("+")[0]
