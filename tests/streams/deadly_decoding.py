"""Decoders for tests: some files kill them, or hold them up for ever. Run as a module."""

import errno
import os
import signal
import sys
import threading
from pathlib import Path

from storage import operations
from storage.images import Image, read_image
from storage.memory import MemoryStore
from storage.objects import NotFound, Store, Unavailable
from storage.s3 import S3Store
from streams.decoders import decoding

KILLS, KILLS_ONCE, HANGS, SURPRISES = b"kills", b"kills once", b"hangs", b"surprises"


class FolderStore(MemoryStore):
    """A folder's files, as long as it is there."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = Path(folder)

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        if not self._folder.is_dir():
            raise Unavailable(f"{self._folder.name} is away")
        if not (self._folder / key).exists():
            raise NotFound(f"{key} is not there")
        self.put(key, (self._folder / key).read_bytes())
        data = super().get(key, start, length, etag)
        operations.count("GET", f"/bucket/{key}", 0, len(data))
        return data


def store(**place: str) -> Store:
    return FolderStore(**place) if "folder" in place else S3Store(**place)


def decode(data: bytes, name: str, channel: int | None) -> Image:
    if data == KILLS:
        os.kill(os.getpid(), signal.SIGKILL)
    if data == HANGS:
        threading.Event().wait()
    if data == SURPRISES:
        raise LookupError(name)
    if data.startswith(KILLS_ONCE):
        _die_once(Path(data.decode().split("\n")[1]))
    return read_image(data, name, channel)


def _die_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGSEGV)


_fork = os.fork


def fork() -> int:
    """Fails once for a mark that the environment names: as if there were too many processes."""
    mark = Path(os.environ.get("NO_FORK", ""))
    if mark.is_file():
        mark.unlink()
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    return _fork()


if __name__ == "__main__":
    os.fork = fork
    decoding.main(sys.argv[1:], store, decode)
