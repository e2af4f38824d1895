"""Made-up runs: zips that were sent, what stages measured of their images, and the ends that followed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from loadgen.run.ends import End, Ends, JobEnds
from loadgen.run.journal import About, Journal, Sample, Sent
from loadgen.run.plan import Due, Plan
from loadgen.run.schedule import schedule
from observability.cost import Usage
from streams.runs import Run, Step, Stretch

BEGUN = 1_000_000.0
SERVICE = 0.1
"""Seconds of one image."""
VERDICT = {"checked": True, "images": 0, "labelled": 0, "rejected": 0, "cancelled": 0, "in_flight": 0}
SOUND = VERDICT | {"lost": 0, "duplicated": 0, "anomalies": 0}


def sent(plan: Plan, upload: float = 0.5, late: float = 0.0) -> list[Sent]:
    """All zips of a plan, each accepted after so many seconds."""
    return [
        Sent(due, at, at + late, at + late + upload, 1000 * due.images, f"job{due.number}")
        for repeat, dues in enumerate(schedule(plan))
        for due in dues
        for at in [BEGUN + 1000 * repeat + due.after]
    ]


def ends(zips: Sequence[Sent], service: float = SERVICE) -> Ends:
    """Every image labelled, one after another in the order in which they were sent."""
    return {each.job: job for each, job in zip(zips, _jobs(zips, service), strict=True)}


def _jobs(zips: Sequence[Sent], service: float) -> Iterator[JobEnds]:
    free = 0.0
    for each in zips:
        told = {}
        for image in range(each.due.images):
            begun = max(free, each.answered + 0.05)
            free = begun + service
            told[image] = End(free, "labelled", runs=(run(each.answered + 0.02, begun, service),))
        usage = Usage({"machine": service * each.due.images}, {"A": 2.0 * each.due.images}, {}, 0.0, each.due.images)
        yield JobEnds(each.answered, each.due.images, free, usage, told)


def run(announced: float, begun: float, service: float) -> Run:
    """A chain at work on one image for so many seconds, without a pause between its phases."""
    micros = round(service * 1e6)
    parts = [("fetch", 0.1), ("decode", 0.1), ("model", 0.5), ("post", 0.2), ("store", 0.1)]
    at, phases = round((begun - announced) * 1e6), []
    for name, share in parts:
        phases.append(Stretch(name, at, round(share * micros)))
        at += round(share * micros)
    stages = [("tile", 0), ("predict", 2), ("postprocess", 3)]
    steps = tuple(Step(stage, 0, phases[first].at, 1) for stage, first in stages)
    return Run(
        chain="tile+predict+postprocess",
        by="worker",
        sent=round(announced * 1e6),
        begun=phases[0].at,
        steps=steps,
        phases=tuple(phases),
        finer=(Stretch("compute", phases[2].at, phases[2].lasted),),
    )


def written(folder: Path, plan: Plan, zips: Sequence[Sent]) -> Path:
    """A folder as a run leaves it; one core of two is busy, with Monolayer."""
    system = {"api": "http://nowhere", "version": "1", "model": "nuclei"}
    journal = Journal(folder, About(plan, BEGUN, {"cpu": "made up", "cores": 2}, system))
    for each in zips:
        journal.sent(each)
    for second in range(3000):
        used = {"stage-segment": float(second), "loadgen": 0.1 * second}
        journal.sampled(Sample(BEGUN + second, 0.5, 1e9, used))
    return folder


def due(number: int, after: float, images: int = 1) -> Due:
    """A zip of the first repeat."""
    return Due(number, 0, after, number, images, 0)
