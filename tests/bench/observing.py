"""`python -m tests.bench.observing`: what metrics and traces cost; one JSON object last.

Two systems stand side by side, one of them observed, and take the same images in turn, so that what the machine does
meanwhile hits both. The first of a pair is now the one, now the other.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from loadgen.fields import write_archive
from tests.bench.ours import Ours

WARM = 8
"""Images of a round that is not counted."""
CELLS = 300 / 1e6
"""On each pixel."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60, help="images of a round")
    parser.add_argument("--side", type=int, default=1024, help="height and width of the images, in px")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each of the two")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monolayer-bench-") as name:
        print(json.dumps(measure(Path(name), asked.images, asked.side, asked.rounds)))


def measure(folder: Path, images: int, side: int, rounds: int) -> dict[str, object]:
    """So many rounds of both, after one that warms them up."""
    archive, warm = folder / "fields.zip", folder / "warm.zip"
    cells = max(1, round(CELLS * side * side))
    write_archive(archive, images, side, cells)
    write_archive(warm, WARM, side, cells)
    systems = [Ours(folder / "plain"), Ours(folder / "observed", observed=True)]
    try:
        for system in systems:
            system.run(warm, "warm")
        before = [system.cpu() for system in systems]
        pairs = [_pair(systems, archive, number) for number in range(rounds)]
        spent = [_spent(system.cpu(), then, images * rounds) for system, then in zip(systems, before, strict=True)]
    finally:
        for system in systems:
            system.close()
    return {
        "throughput_ratio_observed": round(statistics.median(plain / observed for plain, observed in pairs), 3),
        "ratios": [round(plain / observed, 3) for plain, observed in pairs],
        "cpu_ms_per_image": [round(sum(each.values()), 1) for each in spent],
        "cpu_ratio": round(sum(spent[1].values()) / sum(spent[0].values()), 3),
        "cpu_ms_of_parts": spent,
        "images": images,
        "side": side,
        "rounds": rounds,
        "cores": os.cpu_count(),
    }


def _pair(systems: list[Ours], archive: Path, number: int) -> tuple[float, float]:
    """Seconds without and with; who comes first alternates."""
    order = systems if number % 2 else systems[::-1]
    seconds = {system: system.run(archive, f"round {number}") for system in order}
    plain, observed = (seconds[system] for system in systems)
    print(f"plain {plain:.2f} s, observed {observed:.2f} s, ratio {plain / observed:.3f}", file=sys.stderr)
    return plain, observed


def _spent(now: dict[str, float], then: dict[str, float], images: int) -> dict[str, float]:
    return {part: round(1000 * (now[part] - then.get(part, 0.0)) / images, 2) for part in now}


if __name__ == "__main__":
    main()
