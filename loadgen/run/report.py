"""A run's report, made of its folder and of what bucket and topics say: again at any time, as long as jobs are kept."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen.run import figures, intervals
from loadgen.run.costs import costs
from loadgen.run.ends import Ends
from loadgen.run.journal import About, Sample, Sent, read_about, read_samples, read_sent
from loadgen.run.rows import Row, columns, rows
from loadgen.run.schedule import schedule
from observability.cost import Prices

REPORT, ROWS, PAGE = "report.json", "images.parquet", "report.html"
FORMAT = 1
OTHERS_WORK = ("late", "upload", "unzip", "predict.model", "postprocess.post")
"""Phases that are no overhead of one image, nor is any wait: what the sender and the model take, and listing a zip."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a report is made of, beside the folder."""

    ends: Ends
    verdict: dict[str, Any]
    """What `loadgen verify` says of the run's jobs, or why it says nothing."""
    prices: Prices | None = None


def write(folder: Path, found: Found) -> dict[str, Any]:
    """Write rows, figures and page into a run's folder; returns the figures. Raises `BadPlan` where it is none."""
    from loadgen.run.page import page
    from storage.tables import small

    about, sent, samples = read_about(folder), read_sent(folder), read_samples(folder)
    all_rows = list(rows(sent, found.ends))
    told = report(about, sent, samples, all_rows, found)
    (folder / ROWS).write_bytes(small(columns(all_rows)))  # type: ignore[arg-type]
    (folder / REPORT).write_text(json.dumps(told, indent=1))
    (folder / PAGE).write_text(page(told))
    return told


def report(
    about: About, sent: Sequence[Sent], samples: Sequence[Sample], all_rows: Sequence[Row], found: Found
) -> dict[str, Any]:
    """The figures of a run as one JSON object. Seconds, images and bytes, where nothing else is said."""
    measured = [row for row in all_rows if not row.warmup]
    repeats = [_repeat(each, samples) for each in _by_repeat(measured)]
    return {
        "format": FORMAT,
        **about.as_json(),
        "zips": _zips(about, sent),
        "images": figures.counts(measured),
        "warmup_images": len(all_rows) - len(measured),
        "repeats": repeats,
        "intervals": {name: _over(repeats, name) for name in (repeats[0] if repeats else ())},
        "latency_s": figures.latency(measured),
        "phases_s": figures.by_phase(measured),
        "model_s": figures.by_phase(measured, finer=True),
        "accounted": figures.accounted(measured),
        "observed": any(row.attempts for row in measured),
        "cpu_s": figures.cpu_seconds(samples, measured),
        "over_time": figures.over_time(measured),
        "histograms": figures.histograms(measured),
        "machine_over_time": _machine(samples, measured),
        "cost": costs(sent, found.ends, found.prices),
        "verdict": found.verdict,
        "notes": [*_warmed(found.verdict, len(all_rows) - len(measured)), *_stopped(about, sent)],
    }


def _repeat(measured: Sequence[Row], samples: Sequence[Sample]) -> dict[str, float]:
    """The figures of one repeat that can be compared with another's."""
    latency = figures.latency(measured)
    ended = sum(row.has_ended for row in measured)
    cpu = sum(each for name, each in figures.cpu_seconds(samples, measured).items() if name != "loadgen")
    told = {
        "images_per_second": figures.throughput(measured),
        "latency_p50_s": latency.get("p50", 0.0),
        "latency_p99_s": latency.get("p99", 0.0),
        "cpu_s_per_image": cpu / ended if ended else 0.0,
        "not_labelled": float(sum(row.fate != "labelled" for row in measured)),
    }
    overhead = figures.percentiles([overhead_of(row) for row in measured if row.attempts])
    return told | {f"overhead_{name}_s": overhead[name] for name in ("p50", "p99") if overhead}


def overhead_of(row: Row) -> float:
    """Seconds that Monolayer itself took for an image: neither model nor post-processing, and no wait for a turn."""
    return sum(
        seconds
        for name, seconds in row.spent.items()
        if name not in OTHERS_WORK and not name.endswith((".wait", ".pause"))
    )


def _over(repeats: Sequence[dict[str, float]], name: str) -> tuple[float, float] | None:
    return intervals.interval([each[name] for each in repeats if name in each])


def _by_repeat(measured: Sequence[Row]) -> list[list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in measured:
        found.setdefault(row.repeat, []).append(row)
    return list(found.values())


def _warmed(verdict: dict[str, Any], images: int) -> list[str]:
    note = f"Verdict and cost count the {images:,} images of the warm-up as well; nothing else does."
    return [note] if images and verdict["checked"] else []


def _stopped(about: About, sent: Sequence[Sent]) -> list[str]:
    planned = sum(map(len, schedule(about.plan)))
    return [f"It was stopped when {len(sent)} of {planned} zips had been sent."] if len(sent) < planned else []


def _zips(about: About, sent: Sequence[Sent]) -> dict[str, Any]:
    planned = sum(map(len, schedule(about.plan)))
    lateness: Callable[[Sent], float] = lambda each: each.begun - each.at  # noqa: E731
    return {
        "planned": planned,
        "sent": len(sent),
        "accepted": sum(bool(each.job) for each in sent),
        "bytes": sum(each.size for each in sent if each.job),
        "problems": dict(Counter(each.problem for each in sent if each.problem)),
        "latest_s": max(map(lateness, sent), default=0.0),
        "upload_s": figures.percentiles([each.answered - each.begun for each in sent if each.job]),
    }


def _machine(samples: Sequence[Sample], measured: Sequence[Row]) -> dict[str, list[float]]:
    begun = min((row.due for row in measured), default=0.0)
    inside = [sample for sample in samples if sample.at >= begun]
    return {
        "seconds": [round(sample.at - begun, 2) for sample in inside],
        "cpu": [round(sample.cpu, 3) for sample in inside],
        "memory_gb": [round(sample.memory / 1e9, 3) for sample in inside],
    }
