"""The decoders' side: `python -m streams.decoders.decoding FD PARENT` forks decoders, each reading one image at a time.

What an image does to whoever reads it, it does to one of these. They share what is imported here, so that a new one
works within milliseconds; that is why this module imports little, and starts no thread before it forks.
"""

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from storage import operations
from storage.images import Image, read_image
from storage.objects import Store
from storage.s3 import S3Store
from storage.sources import read_source
from storage.unreadable import reading
from streams.decoders import wire
from streams.decoders.wire import Wanted

_PR_SET_PDEATHSIG = 1
Decode = Callable[[bytes, str, int | None], Image]


def main(arguments: list[str], store: Callable[..., Store] = S3Store, decode: Decode = read_image) -> None:
    """Be a process of its own: given a socket's file descriptor and the worker's process id."""
    fork_decoders(socket.socket(fileno=int(arguments[0])), int(arguments[1]), store, decode)


def become_server(
    control: socket.socket, worker: int, store: Callable[..., Store] = S3Store, decode: Decode = read_image
) -> NoReturn:
    """Be a copy of the worker that does only this, and never returns."""
    try:
        fork_decoders(control, worker, store, decode)
    finally:
        os._exit(0)


def fork_decoders(
    control: socket.socket, worker: int, store: Callable[..., Store] = S3Store, decode: Decode = read_image
) -> None:
    """Fork a decoder for each channel that comes, until the worker is gone.

    Parameters
    ----------
    control
        On which channels come.
    worker
        Its process id.
    store
        Opens the store from the words that come with a channel.
    decode
        Makes an image of a file's bytes.
    """
    _end_with(worker)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the worker, which may still need us for its drain
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead bury themselves
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, all that decoders share
    gc.enable()  # where this is a copy, the worker had it rest
    here = os.getpid()
    while asked := wire.receive(control):
        with suppress(OSError), socket.socket(fileno=asked.memory) as channel:
            if os.fork() == 0:  # where no process is to be had, the worker sees the channel closed and asks again
                _become_decoder(here, control, channel, lambda: store(**asked.words), decode)


def _become_decoder(
    parent: int, control: socket.socket, channel: socket.socket, store: Callable[[], Store], decode: Decode
) -> None:
    try:
        _end_with(parent)
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve(channel, store(), decode)
    except OSError:
        pass  # the worker is gone
    finally:
        os._exit(0)


def serve(channel: socket.socket, store: Store, decode: Decode = read_image) -> None:
    """Read one image after another, as they are asked for, until nobody is there to ask."""
    wire.send(channel, {"pid": os.getpid()})
    while asked := wire.receive(channel):
        try:
            _answer(channel, Wanted(**asked.words), store, decode)
        except Exception as error:
            wire.send(channel, wire.confess(error))


def _answer(channel: socket.socket, wanted: Wanted, store: Store, decode: Decode) -> None:
    image, fetched = _read(channel, wanted, store, decode)
    memory = wire.share(image.planes)
    try:
        words: dict[str, Any] = {**wire.describe(image), "decode": time.perf_counter() - fetched}
        wire.send(channel, words, [memory])
    finally:
        os.close(memory)


def _read(channel: socket.socket, wanted: Wanted, store: Store, decode: Decode) -> tuple[Image, float]:
    """The image, and when its file was here; the file is let go of before the pixels are copied."""
    begun, before = time.perf_counter(), operations.total()
    data = read_source(store, wanted, wanted.name)
    fetched = time.perf_counter()
    wire.send(channel, {"fetch": fetched - begun, "asked": operations.total().less(before)})
    with reading(arrived=wanted.crc is not None):
        return decode(data, wanted.name, wanted.channel), fetched


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)  # it ended before


if __name__ == "__main__":
    main(sys.argv[1:])
