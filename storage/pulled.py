"""What a library writes into a file, as pieces to pull: for files that are sent while they come into being."""

from collections.abc import Callable, Iterator
from io import RawIOBase
from queue import Queue
from threading import Event, Thread

AHEAD = 4
"""Pieces that may wait; whoever writes then waits as well."""
_END = b""


class Abandoned(OSError):
    """Nobody pulls any more."""


class _Sink(RawIOBase):
    """A file whose pieces go into a queue."""

    def __init__(self) -> None:
        self.pieces: Queue[bytes] = Queue(AHEAD)
        self.abandoned = Event()

    def writable(self) -> bool:
        """See `io`."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Wait until there is room; raises `Abandoned`."""
        if self.abandoned.is_set():
            raise Abandoned("nobody reads this file any more")
        if piece := bytes(data):
            self.pieces.put(piece)
        return len(piece)


def pulled(write: Callable[[RawIOBase], object]) -> Iterator[bytes]:
    """The pieces that `write` writes into the file it is given, from a thread of its own; raises what it raises.

    Whoever stops pulling and closes the iterator makes the next writing fail, so that the thread ends.
    """
    sink, trouble = _Sink(), list[BaseException]()

    def work() -> None:
        try:
            write(sink)
        except BaseException as error:
            trouble.append(error)
        finally:
            sink.pieces.put(_END)

    Thread(target=work, name="pulled", daemon=True).start()
    piece = sink.pieces.get()
    try:
        while piece:
            yield piece
            piece = sink.pieces.get()
    finally:
        sink.abandoned.set()
        while piece:
            piece = sink.pieces.get()
    if trouble:
        raise trouble[0]
