"""Asks the independent checker, in a process of its own, and understands its last line."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

_SECONDS = 900.0


async def verify(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What `loadgen verify` says of all there is; none where it said nothing that could be read.

    Only of all: what was uploaded and became no job, or two, has no job to be asked for.

    Parameters
    ----------
    environment
        The variables with which it finds the servers.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadgen", "verify", "--settled", "--json"),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    except BaseException:
        process.kill()
        raise
    return _last_object(printed.decode(errors="replace"))


def _last_object(printed: str) -> dict[str, Any] | None:
    try:
        said = json.loads(printed.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return said if isinstance(said, dict) else None
