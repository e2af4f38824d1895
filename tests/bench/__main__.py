"""`python -m tests.bench`: the whole system against a plain loop, interleaved in one run; one JSON object last.

The plain loop is two bare processes, once running, that do the same decode, model, watershed, measuring and write.
The system's time runs from `submit` to the job's end, upload included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from loadgen.fields import write_archive
from tests.bench.ours import Ours

PROCESSES = 2


class Plain:
    """The reference's processes, started once, kept waiting between rounds."""

    def __init__(self) -> None:
        code = "from tests.bench.plain import main; main()"
        self.processes = [
            subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        for process in self.processes:
            assert process.stdout and process.stdout.readline() == "ready\n"

    def run(self, archive: Path, out: Path) -> float:
        """Seconds for the whole archive."""
        begun = time.perf_counter()
        for number, process in enumerate(self.processes):
            assert process.stdin
            process.stdin.write(f"{archive}\t{out}\t{number}\t{PROCESSES}\n")
            process.stdin.flush()
        for process in self.processes:
            assert process.stdout and process.stdout.readline() == "done\n"
        return time.perf_counter() - begun

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            assert process.stdin and process.stdout
            process.stdin.close()
            process.wait()
            process.stdout.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monolayer-bench-") as name:
        print(json.dumps(measure(Path(name), asked.images, asked.rounds)))


def measure(folder: Path, images: int, rounds: int) -> dict[str, object]:
    """Interleave both for so many rounds, after one that warms both up."""
    archive, out = folder / "fields.zip", folder / "plain"
    out.mkdir()
    print(f"making {images} fields of one megapixel", file=sys.stderr)
    write_archive(archive, images)
    plain, ours = Plain(), Ours(folder / "state")
    try:
        warm = folder / "warm.zip"
        write_archive(warm, 8)
        plain.run(warm, out)
        ours.run(warm, "warm")
        pairs, before = [], ours.cpu()
        for number in range(rounds):
            pair = (plain.run(archive, out), ours.run(archive, f"round {number}"))
            rates = images / pair[0], images / pair[1]
            print(
                f"plain {rates[0]:.2f} images/s, monolayer {rates[1]:.2f}, ratio {rates[1] / rates[0]:.3f}",
                file=sys.stderr,
            )
            pairs.append(pair)
        after = ours.cpu()
        spent = {name: round(1000 * (after[name] - before[name]) / images / rounds, 1) for name in after}
        return {
            "throughput_ratio_to_plain": round(statistics.median(p / m for p, m in pairs), 3),
            "ratios": [round(p / m, 3) for p, m in pairs],
            "plain_images_per_s": round(statistics.median(images / p for p, _ in pairs), 2),
            "monolayer_images_per_s": round(statistics.median(images / m for _, m in pairs), 2),
            "upload_s": round(statistics.median(ours.uploads[1:]), 2),
            "cpu_ms_per_image": spent,
            "phase_ms_per_image": ours.phases(),
            "images": images,
            "rounds": rounds,
            "cores": os.cpu_count(),
        }
    finally:
        plain.close()
        ours.close()


if __name__ == "__main__":
    main()
