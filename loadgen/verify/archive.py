"""Whether a job's manifest lists every file of its archive, as the archive's own directory tells.

The directory is read by the standard library, from the bucket; what counts as a file, and what it is called, is said
here once more. What the manifest lists beyond that is no matter of this check.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zipfile import ZipFile, ZipInfo

from loadgen.bucket import Bucket, BucketAway
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.books import Books
from loadgen.verify.records import Entry, JobRecord
from storage import keys

MOST_DIRECTORY = 128 << 20
"""Bytes of a directory: a million files of it take half a gigabyte here."""
TAIL = 1 << 17
"""Bytes at the end that are asked for first: all of a small archive's directory, and what leads to that of a large."""
HEADS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08", b"PK00")
"""How a file begins that is taken for an archive."""
END = 22
"""Bytes of an archive's end before its comment."""
UTF8 = 1 << 11
"""The flag of a member whose name is UTF-8."""
LITTER = {"thumbs.db", "desktop.ini"}


class NotCompared(Exception):
    """An archive can't be compared with its manifest; the message says why."""


class File(NamedTuple):
    """A file of an archive, as its directory tells: two of one name, and two that changed places, are told apart."""

    name: str
    crc: int | None


class Listed:
    """What a manifest lists, shard by shard: files, and whether it is the upload as a whole."""

    def __init__(self) -> None:
        self._files: Counter[File] = Counter()
        self.whole = False
        """The upload itself is the one image: it is no archive, was refused, or was not listed before the job's end."""

    def take(self, entries: Iterable[Entry]) -> None:
        """Note the entries of a shard."""
        for entry in entries:
            self._files[File(entry.name, entry.source.crc)] += 1
            self.whole = self.whole or entry.source.crc is None

    def without(self, files: Iterable[File]) -> Iterator[File]:
        """The files that are not listed as they are; of equal ones so many as are too few."""
        left = self._files.copy()
        for file in files:
            if left[file]:
                left[file] -= 1
            else:
                yield file


def unlisted(bucket: Bucket, books: Books, listed: Listed) -> Iterator[Anomaly]:
    """The files of an archive that its job doesn't list, all in one anomaly; raises `NotCompared`, `BucketAway`."""
    job = books.record
    if job is None or job.refused or books.index is None or listed.whole:
        return
    files = _files(bucket, job)
    missing = list(listed.without(files))
    if missing:
        what = f"lacks {len(missing)} of the {len(files)} files of {job.object}, the first {missing[0].name!r}"
        yield Anomaly(Kind.MANIFEST, books.job, f"the manifest of job {books.job} {what}")


def _files(bucket: Bucket, job: JobRecord) -> list[File]:
    """An archive's files; none where the upload is no archive."""
    found = bucket.size(job.object, job.etag)
    if found is None:
        raise NotCompared(f"{job.object} is gone, or was replaced")
    try:
        file = _Ranges(bucket, job, found)
        if file.read(4) not in HEADS:
            return []
        with ZipFile(file) as archive:
            file.check_end(archive.comment)
            named = ((_name(member), member.CRC) for member in archive.infolist())
            return [File(name[: keys.MAX_NAME], crc) for name, crc in named if _counts(name)]
    except (BucketAway, NotCompared):
        raise
    except Exception as error:  # a strange archive fails in as many ways as there are bytes
        raise NotCompared(f"{job.object}: {type(error).__name__}: {error}") from None


class _Ranges:
    """An object as a file to seek in: what is read is asked for, but the end at once and only once."""

    def __init__(self, bucket: Bucket, job: JobRecord, size: int) -> None:
        self._bucket = bucket
        self._job = job
        self._size = size
        self._at = 0
        self._tail_start = max(0, size - TAIL)
        self._tail = self._fetch(self._tail_start, size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; raises `OSError` where that is before the beginning."""
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise OSError(f"there is nothing at {at}")
        self._at = at
        return at

    def tell(self) -> int:
        """The place."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """So many bytes from here on, or all; raises `NotCompared`, `BucketAway`."""
        start, end = self._at, self._size if size < 0 else min(self._at + size, self._size)
        self._at = max(start, end)
        if start >= self._tail_start:
            return self._tail[start - self._tail_start : end - self._tail_start]
        return self._fetch(start, end)

    def check_end(self, comment: bytes) -> None:
        """Only of an archive that ends where its object does can all readers tell which directory is its own."""
        self.seek(-END - len(comment), 2)
        if self.read(4) != b"PK\5\6":
            raise NotCompared(f"{self._job.object} does not end as an archive does")

    def _fetch(self, start: int, end: int) -> bytes:
        if end - start > MOST_DIRECTORY:
            raise NotCompared(f"{self._job.object} has a directory of {end - start} bytes")
        data = self._bucket.part(self._job.object, start, end - start, self._job.etag)
        if data is None or len(data) != end - start:
            raise NotCompared(f"{self._job.object} was replaced")
        return data


def _name(member: ZipInfo) -> str:
    """What a manifest calls a member: UTF-8 where it can be that, flagged or not, and with slashes."""
    data = member.orig_filename.encode("utf-8" if member.flag_bits & UTF8 else "cp437")
    try:
        name = data.decode()
    except UnicodeDecodeError:
        name = data.decode("cp437")
    return name.replace("\\", "/")


def _counts(name: str) -> bool:
    """Whether a member is a file that somebody meant to send: no folder, not hidden, and no system's litter."""
    *folders, last = name.split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in (*folders, last))
    litter = last.casefold() in LITTER or "__macosx" in map(str.casefold, folders)
    return not (hidden or litter or (folders and not last))
