"""Asks the independent checker, in a process of its own, and understands its last line."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Traced:
    """What `loadgen verify --traces` says of all jobs together."""

    images: int
    complete: int
    coverage: float
    """What part of all images' time was measured; the mean of the jobs, each as heavy as its images."""
    sentences: tuple[str, ...]
    """Of traces that are not complete."""


async def verify(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What `loadgen verify` says of all there is; none where it said nothing that could be read.

    Only of all: what was uploaded and became no job, or two, has no job to be asked for.

    Parameters
    ----------
    environment
        The variables with which it finds the servers.
    """
    said = _last_line(await _asked(environment, "--settled"))
    return said if isinstance(said, dict) else None


async def traced(environment: Mapping[str, str], jobs: Sequence[str]) -> Traced | None:
    """What `loadgen verify --traces` says of these jobs; none where it said nothing that could be read.

    Parameters
    ----------
    environment
        The variables with which it finds the servers.
    jobs
        At least one.
    """
    said = _last_line(await _asked(environment, "--traces", *jobs))
    return together([said] if isinstance(said, dict) else said) if said else None


def together(told: Sequence[Mapping[str, Any]]) -> Traced:
    """What was said of each job, as one."""
    images = sum(each["images"] for each in told)
    return Traced(
        images=images,
        complete=sum(each["complete"] for each in told),
        coverage=sum(each["coverage"] * each["images"] for each in told) / max(1, images),
        sentences=tuple(
            f"The trace of {example}, of job {each['job']}." for each in told for example in each["examples"]
        ),
    )


async def _asked(environment: Mapping[str, str], *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadgen", "verify", "--json", *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    except BaseException:
        process.kill()
        raise
    return printed.decode(errors="replace")


def _last_line(printed: str) -> Any:
    try:
        return json.loads(printed.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return None
