"""Bytes on the way: parcels to the store in parts, results back into a folder."""

import threading
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO

from kiosk.client.calls import Calls, Interrupted, Pauses, Puts
from kiosk.client.packing import Parcel
from kiosk.contract import Accepted, Completion, NewUpload, PartAddress, StoredPart, UploadStarted
from kiosk.errors import Broken, Refused

AT_ONCE = 2
"""Parts under way; so many and one more are in memory."""
AT_A_TIME = 4 * 1024**2
"""Bytes: with fewer, the requests that parts need take longer than the bytes."""
TOGETHER = 20e6
"""Bytes a second at which even a slow disk of the store puts parts together."""
TRIES = 3
_PIECE = 256 * 1024
Report = Callable[[int], None]
"""Takes how many bytes have gone, or come."""


def send(calls: Calls, parcel: Parcel, upload: NewUpload, report: Report) -> Accepted:
    """Send a parcel: a small one in one request, others in parts, unless it is a job already."""
    if parcel.size <= AT_A_TIME and not upload.submission:
        return _at_a_time(calls, parcel, upload, report)
    return _in_parts(calls, parcel, upload, report)


def _at_a_time(calls: Calls, parcel: Parcel, upload: NewUpload, report: Report) -> Accepted:
    """Where an answer was lost and the request is repeated, a mark of its own keeps it from becoming a second job.

    What takes too long in one piece goes in parts, under the same mark: an earlier try may have arrived.
    """
    mark = uuid.uuid4().hex
    data = b"".join(parcel.pieces())
    asked = upload.model_dump(exclude={"options", "size", "digest", "submission"}, exclude_defaults=True)
    query = asked | upload.options.model_dump(exclude_none=True)
    try:
        accepted = calls.hand_over(Accepted, "/jobs", data, mark, query)
    except Refused as error:
        if error.status != HTTPStatus.REQUEST_TIMEOUT:
            raise
        return _in_parts(calls, parcel, upload.model_copy(update={"submission": mark, "digest": ""}), report)
    report(len(data))
    return accepted


def _in_parts(calls: Calls, parcel: Parcel, upload: NewUpload, report: Report) -> Accepted:
    """Each part goes to the store itself; an upload that fails is taken back, to make room."""
    started = calls.ask(UploadStarted, "POST", "/uploads", upload)
    if started.job:
        return Accepted(job=started.job, again=True)
    path = f"/uploads/{started.upload}"
    try:
        parts = _Parts(calls, path, report).send(blocks(parcel.pieces(), started.part_size))
    except BaseException:
        calls.forget(path)
        raise
    try:
        patience = calls.patience + parcel.size / TOGETHER
        return calls.ask(Accepted, "POST", f"{path}/complete", Completion(parts=parts), patience=patience)
    except Refused as error:
        if error.status == HTTPStatus.INSUFFICIENT_STORAGE:
            calls.forget(path)
        raise


def fetch(calls: Calls, path: str, folder: Path, report: Report) -> list[Path]:
    """Download a zip and unpack it into a folder, over files of the same names; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder, prefix=".monolayer-") as file:
        _download(calls, path, file, report)
        return unpack(file, folder)


def whole(calls: Calls, path: str) -> bytes:
    """Download something that fits into memory."""
    with BytesIO() as file:
        _download(calls, path, file, lambda count: None)
        return file.getvalue()


def unpack(file: IO[bytes], folder: Path) -> list[Path]:
    """Unpack a zip; nothing in it can be written outside the folder."""
    written = []
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
                raise Broken(f"The results name a file outside their folder: {member.filename}.")
            written.append(Path(archive.extract(member, folder)))
    return written


def blocks(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in blocks of one size; the last may be shorter."""
    block = bytearray()
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            taken = rest[: size - len(block)]
            block += taken
            rest = rest[len(taken) :]
            if len(block) == size:
                yield bytes(block)
                block.clear()
    if block:
        yield bytes(block)


class _Parts:
    """Sends parts, a few at a time."""

    def __init__(self, calls: Calls, path: str, report: Report) -> None:
        self._calls, self._path, self._report = calls, path, report
        self._sent = 0
        self._lock = threading.Lock()
        self._free = threading.Semaphore(AT_ONCE)
        self._stop = threading.Event()

    def send(self, parts: Iterable[bytes]) -> list[StoredPart]:
        """Send all parts; the first failure ends it."""
        futures: list[Future[StoredPart]] = []
        with closing(Puts()) as puts, ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for number, data in enumerate(parts, 1):
                    self._free.acquire()
                    if self._stop.is_set():
                        break
                    futures.append(pool.submit(self._one, puts, number, data))
                return [future.result() for future in futures]
            finally:
                self._stop.set()

    def _one(self, puts: Puts, number: int, data: bytes) -> StoredPart:
        try:
            return self._stored(puts, number, data)
        except BaseException:
            self._stop.set()
            raise
        finally:
            self._free.release()

    def _stored(self, puts: Puts, number: int, data: bytes) -> StoredPart:
        pauses = Pauses(self._calls.patience)
        while True:
            pieces = _Counted(data, self._advance, self._stop)
            try:
                etag = puts.put(self._address(number), iter(pieces), len(data))
                return StoredPart(number=number, etag=etag)
            except Interrupted as error:
                self._advance(-pieces.gone)
                if error.final or self._stop.is_set() or not pauses.pause():
                    raise Broken(f"Part {number} of the upload could not be sent: {error}.") from error

    def _address(self, number: int) -> str:
        found = self._calls.ask(list[PartAddress], "POST", f"{self._path}/parts", first=number, count=1)
        return found[0].url

    def _advance(self, count: int) -> None:
        with self._lock:
            self._sent += count
            self._report(self._sent)


class _Counted:
    """A part in small pieces, counted as they leave."""

    def __init__(self, data: bytes, advance: Report, stop: threading.Event) -> None:
        self._data, self._advance, self._stop = memoryview(data), advance, stop
        self.gone = 0

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), _PIECE):
            if self._stop.is_set():
                raise Interrupted("it was stopped")
            piece = bytes(self._data[start : start + _PIECE])
            yield piece
            self.gone += len(piece)
            self._advance(len(piece))


def _download(calls: Calls, path: str, file: IO[bytes], report: Report) -> None:
    pauses = Pauses(calls.patience)
    for left in reversed(range(TRIES)):
        file.seek(0)
        file.truncate()
        try:
            calls.download(path, lambda piece: report(file.tell() if file.write(piece) else 0))
            return
        except Interrupted as error:
            if not left or not pauses.pause():
                raise Broken(f"The results stopped coming: {error}.") from error
