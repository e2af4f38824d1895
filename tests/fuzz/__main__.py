"""`python -m tests.fuzz [--seconds N] [--target NAME] [--seed N] [--out FOLDER]`: damage files until a reader fails.

A child process reads, so that a crash, a hang or too much memory is found as well, with the input that did it. With
atheris installed, `python -m tests.fuzz.guided` looks where no reader has been before.
"""

import argparse
import hashlib
import multiprocessing
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target

SLOWEST = 5.0
MEMORY = 1_500_000_000
"""Bytes of address space, beyond what the process has anyway."""


def main() -> int:
    """Fuzz; returns the number of findings."""
    wanted = _arguments()
    out = Path(wanted.out)
    out.mkdir(parents=True, exist_ok=True)
    names = [wanted.target] if wanted.target else sorted(TARGETS)
    found = 0
    for number, name in enumerate(names):
        found += _fuzz(TARGETS[name], wanted.seed + number, wanted.seconds / len(names), out)
    print(f"{found} findings in {out}")
    return min(found, 100)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="in all")
    parser.add_argument("--target", choices=sorted(TARGETS), help="only this one")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--out", default="build/fuzz", help="where inputs are kept that a reader failed on")
    return parser.parse_args()


def _fuzz(target: Target, seed: int, seconds: float, out: Path) -> int:
    """Restart the child until the time is over; whatever ended it is a finding."""
    ends, found, runs = time.monotonic() + seconds, 0, multiprocessing.Value("q", 0)
    current = out / f"{target.name}.current"
    while time.monotonic() < ends:
        child = multiprocessing.get_context("fork").Process(target=_child, args=(target, seed, ends, current, runs))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        found, seed = found + 1, seed + 1000
        kept = _keep(current, target, out)
        print(f"{target.name}: {_why(child.exitcode)}, see {kept}", flush=True)
    current.unlink(missing_ok=True)
    print(f"{target.name}: {runs.value} inputs, {found} findings (seed {seed})", flush=True)
    return found


def _child(target: Target, seed: int, ends: float, current: Path, runs: object) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY, -1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for data in _inputs(target, seed):
        if time.monotonic() > ends:
            sys.exit(0)
        current.write_bytes(data)
        signal.setitimer(signal.ITIMER_REAL, SLOWEST)  # its default action ends the process, even inside a codec
        try:
            target.read(data)
        except BaseException:
            traceback.print_exc()
            sys.exit(1)
        signal.setitimer(signal.ITIMER_REAL, 0)
        runs.value += 1  # type: ignore[attr-defined]


def _inputs(target: Target, seed: int) -> Iterator[bytes]:
    """First the seeds themselves, then damaged ones without end."""
    chance, seeds = random.Random(seed), target.seeds()
    yield from seeds
    while True:
        yield mutated(chance.choice(seeds), seeds, chance)


def _size() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _keep(current: Path, target: Target, out: Path) -> Path:
    data = current.read_bytes()
    kept = out / f"{target.name}-{hashlib.sha256(data).hexdigest()[:12]}"
    kept.write_bytes(data)
    return kept


def _why(code: int | None) -> str:
    if code == -signal.SIGALRM:
        return f"took more than {SLOWEST:.0f} s"
    return "raised what it does not promise" if code == 1 else f"ended with {code}"


if __name__ == "__main__":
    sys.exit(main())
