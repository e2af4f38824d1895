"""A worker in small, for tests: its decoders are split off, asked for an image, killed, and asked again."""

import asyncio
import json
import os
import signal
import sys
from functools import partial

import psutil

from streams.decoders import decoding
from streams.decoders.decoder import Apart
from streams.decoders.forkserver import ForkServer
from streams.events import Lane
from streams.patience import Patience
from streams.tracing.spent import Spent
from tests.streams.deadly_decoding import decode, store
from tests.streams.decoders.test_decoder import PROGRAM, wanted


def main(folder: str) -> None:
    """Print what was read before and after, and which processes were there."""
    server = ForkServer({"folder": folder}, PROGRAM)
    server.split_off(partial(decoding.become_server, store=store, decode=decode))
    decoder = Apart(server)
    first = asyncio.run(_shape(decoder))
    [copy] = _children()
    family = psutil.Process(copy).children()
    os.kill(copy, signal.SIGKILL)
    psutil.wait_procs(family)
    again = asyncio.run(_shape(decoder))
    print(json.dumps({"shapes": [first, again], "copy": copy, "programs": _children()}), flush=True)
    signal.pause()


async def _shape(decoder: Apart) -> list[int]:
    return list((await decoder.read(wanted("a.tif"), Lane.BULK, Spent(), Patience())).planes.shape)


def _children() -> list[int]:
    return [each.pid for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]


if __name__ == "__main__":
    main(sys.argv[1])
