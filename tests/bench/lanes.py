"""`python -m tests.bench.lanes`: how long one image takes behind a long queue of bulk work; one JSON object last.

The reference is the same image on the idle system, plus what one image of the queue keeps a slot for. Images are
submitted one by one while the queue is still being announced, and again when all of it waits. `--observed` tells where
the time of either went, by the spans of their traces.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.client import Monolayer
from kiosk.errors import Refused
from kiosk.local.processes import EVERYTHING, OBSERVED
from kiosk.local.stack import Local
from kiosk.local.state import State
from kiosk.traces import TraceView
from loadgen.chaos.images import write_archive
from streams.kafka import Backlog
from tests.servers import running

A_ZIP = 10_000
LOOK_SECONDS = 0.02
TRACE_SECONDS = 5.0
"""Until a trace has arrived at Jaeger and can be asked for."""


@dataclass(frozen=True, slots=True)
class Single:
    """One image submitted by itself: its job, seconds until that was accepted, and until it had ended."""

    job: str
    accepted: float
    seconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queued", type=int, default=100_000, help="images queued before the single ones")
    parser.add_argument("--asks", type=int, default=40, help="single images, idle and behind the queue")
    parser.add_argument("--side", type=int, default=64, help="height and width of all images, in px")
    parser.add_argument("--workers", type=int, default=1, help="processes that segment images")
    parser.add_argument("--observed", action="store_true", help="with traces, which cost some milliseconds")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monolayer-bench-") as name:
        folder = Path(name)
        parts = OBSERVED if asked.observed else EVERYTHING
        with running(folder / "state", *parts, workers=asked.workers) as local:
            print(json.dumps(measure(local, folder, asked.queued, asked.asks, asked.side)))


def measure(local: Local, folder: Path, queued: int, asks: int, side: int) -> dict[str, object]:
    """Single images on the idle system, then behind the queue."""
    with Monolayer(local.status()["addresses"]["api"]) as client:
        _single(client, next(_singles(folder, 1, side)))
        idle = _asked(client, "idle", _singles(folder, asks, side))
        print(f"queueing {queued:,} images", file=sys.stderr)
        jobs = _queue(client, folder, queued, side)
        announcing = _asked(client, "while they are announced", _singles(folder, asks, side))
        _wait_until_announced(local)
        behind = _asked(client, "behind them", _singles(folder, asks, side))
        left = _in_flight(client, jobs)
        asked = {"idle": idle, "announcing": announcing, "behind": behind}
        spans = {name: _spans(client, of) for name, of in asked.items()} if local.status()["observed"] else {}
    service = _service(local.state, set(jobs))
    seconds = {name: [single.seconds for single in of] for name, of in asked.items()}
    bound = _percentile(seconds["idle"], 95) + service
    return {
        **{f"{name}_p{each}_s": _percentile(of, each) for name, of in seconds.items() for each in (50, 95)},
        "service_s": service,
        "behind_p95_to_idle_p95_and_service": round(_percentile(seconds["behind"], 95) / bound, 2),
        **{f"{name}_ms": each for name, each in spans.items()},
        "queued": queued,
        "left": left,
        "asks": asks,
        "side": side,
    }


def _singles(folder: Path, count: int, side: int) -> Iterator[Path]:
    for _ in range(count):
        path = folder / f"single_{time.time_ns()}.zip"
        write_archive(path, 1, side, time.time_ns())
        yield path


def _queue(client: Monolayer, folder: Path, queued: int, side: int) -> list[str]:
    """Return when all images are listed, which is before most of them are worked on."""
    jobs = []
    for number in range(0, queued, A_ZIP):
        path = folder / f"bulk_{number}.zip"
        write_archive(path, min(A_ZIP, queued - number), side, number)
        jobs += client.submit([path], diameter=24, submission=path.name)
    while any(client.job(job).images is None for job in jobs):
        time.sleep(0.5)
    return jobs


def _wait_until_announced(local: Local) -> None:
    """Return when every slice has been announced."""
    unannounced = Backlog(local.status()["addresses"]["kafka"], {"announce": "slices"})
    while unannounced() != 0:
        time.sleep(0.5)


def _asked(client: Monolayer, when: str, paths: Iterator[Path]) -> list[Single]:
    singles = []
    for path in paths:
        singles.append(_single(client, path))
        print(f"{when}: {singles[-1].seconds:.2f} s", file=sys.stderr)
    return singles


def _single(client: Monolayer, path: Path) -> Single:
    begun = time.perf_counter()
    (job,) = client.submit([path], diameter=24)
    accepted = time.perf_counter() - begun
    state = client.wait(job, every=LOOK_SECONDS)
    if state.labelled != 1:
        raise SystemExit(f"job {job}: {state.labelled} of 1 labelled")
    return Single(job, accepted, time.perf_counter() - begun)


def _spans(client: Monolayer, singles: Sequence[Single]) -> dict[str, float]:
    """Milliseconds, in the middle, of each stage and each of its phases, and of the submission before them."""
    spent = defaultdict(list, {"submission": [single.accepted for single in singles]})
    for single in singles:
        for name, seconds in _phases(_trace(client, single.job)).items():
            spent[name].append(seconds)
    return {name: round(1000 * statistics.median(each), 1) for name, each in spent.items()}


def _trace(client: Monolayer, job: str) -> TraceView:
    end = time.monotonic() + TRACE_SECONDS
    while True:
        try:
            return client.trace(job, 0)
        except Refused:
            if time.monotonic() > end:
                raise
            time.sleep(LOOK_SECONDS)


def _phases(trace: TraceView) -> dict[str, float]:
    names = {span.span: span.name for span in trace.spans}
    named = ((" ".join(filter(None, (names.get(span.parent), span.name))), span) for span in trace.spans)
    return {name.removeprefix("image "): span.seconds for name, span in named}


def _in_flight(client: Monolayer, jobs: list[str]) -> int:
    return sum(client.job(job).in_flight or 0 for job in jobs)


def _service(state: State, jobs: set[str]) -> float:
    """Seconds, in the middle, for which one image of these jobs keeps a slot, as the stages log them."""
    spent = []
    for log in (state.folder / "logs").glob("stage-segment*.log"):
        for line in log.read_text().splitlines():
            if '"image_labelled"' in line and (image := json.loads(line))["job"] in jobs:
                spent.append(sum(image["seconds"].values()) - image["seconds"].get("wait", 0.0))
    return round(statistics.median(spent), 3)


def _percentile(seconds: list[float], percent: int) -> float:
    return round(statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1], 3)


if __name__ == "__main__":
    main()
