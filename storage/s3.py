"""One bucket of any S3 server, on the `minio` client: the only module that knows it.

What the server has to offer is little: read after write, ranged reads, `If-Match` on reads, multipart uploads.
`S3Store.probe` tries it. Nothing here depends on conditional writes.
"""

import builtins
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree

import minio.datatypes
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from observability.cost import Asked
from storage import operations
from storage.connections import connections
from storage.listing import Page, read_page
from storage.objects import Changed, Full, NotFound, Part, Stat, StoreError, Unavailable, Unfinished
from storage.probe import probe

Headers = dict[str, str | list[str] | tuple[str]]
RACES, RACE_SECONDS = 5, 0.02
"""A file-backed server removes a folder with its last object, perhaps just as the next is being put there."""
NOTE = "x-amz-meta-note"
ABSENT = {"NoSuchKey", "NoSuchUpload", "ResourceNotFound", "KeyTooLongError"}
"""There is no such object; nor can there be one whose key is longer than the server can hold."""
FULL = {"InsufficientStorage", "XMinioStorageFull", "QuotaExceeded"}
BUSY = {"SlowDown", "RequestTimeout"}


class S3Store:
    """A bucket on an S3 server; one instance serves all threads of a process.

    Parameters
    ----------
    endpoint
        Scheme, host and port, as in `http://127.0.0.1:9000`.
    access_key, secret_key
        Who asks.
    bucket
        Its name.
    region
        What requests are signed for; most servers don't care.
    """

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, region: str = "us-east-1") -> None:
        address = urlsplit(endpoint)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ValueError(f"the address of the S3 server is {endpoint!r}, not like http://host:port")
        self.endpoint = endpoint
        self.bucket = bucket
        self._client = Minio(
            address.netloc,
            access_key,
            secret_key,
            secure=address.scheme == "https",
            region=region,
            http_client=connections(),
        )

    def create_bucket(self) -> None:
        """Make the bucket, unless it is there."""
        with self._errors("the bucket"):
            try:
                self._client.make_bucket(self.bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise

    def answers(self) -> None:
        """Return if the server does real work right now, with or without the bucket; raises `StoreError`."""
        with self._errors("the list of buckets"):
            self._client.list_buckets()

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        """Bytes `start` to `start + length` (fewer at the end of the object), if the etag still fits."""
        if length == 0:
            self.stat(key)
            return b""
        headers: Headers = {"If-Match": f'"{etag}"'} if etag else {}
        ranged = bool(start) or length is not None
        if ranged:
            headers["Range"] = f"bytes={start}-" + ("" if length is None else str(start + length - 1))
        try:
            answer = self._ask("GET", key, headers=headers)
        except _BeyondTheEnd:
            return b""
        if ranged and answer.status != 206:
            raise StoreError(f"{self.endpoint} answers a ranged read of {key} with the whole object; it can't be used")
        return answer.data

    def stat(self, key: str) -> Stat:
        """Size, etag and note, without the bytes."""
        try:
            with self._errors(key):
                return _stat(self._client.stat_object(self.bucket, key))
        except _Unexplained:
            self.get(key, 0, 1)  # an answer to HEAD has no words; this one tells whether the key is at fault
            raise

    def put(self, key: str, data: bytes, note: str = "") -> str:
        """Store the whole object atomically and durably, with a note of up to 2 KB beside it; returns its etag."""
        headers: Headers = {"Content-Type": "application/octet-stream"}
        if note:
            headers[NOTE] = note
        for _ in range(RACES):
            with suppress(_FolderVanished):
                return _bare(self._ask("PUT", key, body=data, headers=headers).headers.get("etag"))
            time.sleep(RACE_SECONDS)
        return _bare(self._ask("PUT", key, body=data, headers=headers).headers.get("etag"))

    def list(self, prefix: str) -> Iterator[Stat]:
        """Every object whose key begins with `prefix`, in the order of keys."""
        for page in self._pages(prefix):
            yield from page.objects

    def folders(self, prefix: str) -> Iterator[str]:
        """The names directly below a prefix that ends with a slash, where they have objects below them."""
        for page in self._pages(prefix, "/"):
            yield from (folder[len(prefix) :].rstrip("/") for folder in page.folders)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; a missing one is no error."""
        with self._errors("the objects to delete"):
            refusals = list(self._client.remove_objects(self.bucket, (DeleteObject(key) for key in keys)))
        refusals = [refusal for refusal in refusals if refusal.code not in ABSENT]
        if refusals:
            first = refusals[0]
            raise StoreError(f"{len(refusals)} objects were not deleted, the first {first.name}: {first.message}")

    def start_upload(self, key: str) -> str:
        """Begin a multipart upload; returns its id."""
        with self._errors(key):
            return self._client._create_multipart_upload(self.bucket, key, {})

    def part_url(self, key: str, upload: str, number: int, seconds: int = 3600) -> str:
        """An address to PUT one part to, without any key, for so many seconds."""
        query: Headers = {"partNumber": str(number), "uploadId": upload}
        with self._errors(key):
            return self._client.get_presigned_url(
                "PUT", self.bucket, key, expires=timedelta(seconds=seconds), extra_query_params=query
            )

    def store_part(self, key: str, upload: str, number: int, data: bytes) -> str:
        """Store one part; returns its etag."""
        query: Headers = {"partNumber": str(number), "uploadId": upload}
        with self._errors(key):
            return _bare(
                self._client._execute("PUT", self.bucket, key, body=data, query_params=query).headers.get("etag")
            )

    def parts(self, key: str, upload: str) -> builtins.list[Part]:
        """The parts stored so far, in order: what a resumed upload may skip."""
        found: list[Part] = []
        marker: str | None = None
        with self._errors(key):
            while True:
                page = self._client._list_parts(self.bucket, key, upload, part_number_marker=marker)
                found += [Part(part.part_number, _bare(part.etag)) for part in page.parts]
                marker = page.next_part_number_marker
                if not page.is_truncated or not marker:
                    return found

    def finish_upload(self, key: str, upload: str, parts: Sequence[Part]) -> str:
        """Make the parts one object, which is there then; returns its etag.

        A server may answer whoever asks again while it is at it as if it had finished, so the object is looked for.
        """
        wanted = [minio.datatypes.Part(part.number, part.etag) for part in parts]
        with self._errors(key):
            result = self._client._complete_multipart_upload(self.bucket, key, upload, wanted)
        if not result.etag:  # an error that came after the answer had begun with 200
            raise Unavailable(f"{self.endpoint} did not put {key} together")
        try:
            self.stat(key)
        except NotFound:
            raise Unfinished(f"{self.endpoint} is still putting {key} together") from None
        operations.count_others(Asked(a=len(wanted)))  # clients put them
        return _bare(result.etag)

    def abort_upload(self, key: str, upload: str) -> None:
        """Forget a multipart upload and its parts; an unknown one is no error."""
        try:
            with self._errors(key):
                self._client._abort_multipart_upload(self.bucket, key, upload)
        except NotFound:
            return

    def policy(self) -> str:
        """What others than the bucket's owner may do with it, as JSON; empty: nothing."""
        with self._errors("the bucket's policy"):
            try:
                return self._client.get_bucket_policy(self.bucket)
            except S3Error as error:
                if error.code != "NoSuchBucketPolicy":
                    raise
                return ""

    def put_policy(self, policy: str) -> None:
        """Replace it."""
        with self._errors("the bucket's policy"):
            if policy:
                self._client.set_bucket_policy(self.bucket, policy)
            else:
                self._client.delete_bucket_policy(self.bucket)

    def probe(self) -> tuple[str, ...]:
        """Try what the house needs of a store; returns what it can do, raises `StoreError` with what it can't."""
        return probe(self, f"the store at {self.endpoint}")

    def _pages(self, prefix: str, delimiter: str = "") -> Iterator[Page]:
        query: Headers = {"list-type": "2", "prefix": prefix, "delimiter": delimiter, "encoding-type": "url"}
        while True:
            with self._errors(prefix):
                page = read_page(self._client._execute("GET", self.bucket, query_params={**query}).data)
            yield page
            if not page.following:
                return
            query["continuation-token"] = page.following

    def _ask(
        self, method: str, key: str, body: bytes | None = None, headers: Headers | None = None
    ) -> BaseHTTPResponse:
        """One request; its body is read to the end, which gives the connection back and notices a short one."""
        with self._errors(key):
            return self._client._execute(method, self.bucket, key, body=body, headers=headers)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            raise self._translated(error, what) from error
        except ServerError as error:
            raise _by_status(error.status_code, f"{what}: {error}") from error
        except (HTTPError, InvalidResponseError, ElementTree.ParseError, OSError) as error:
            raise Unavailable(f"the store at {self.endpoint} gave no proper answer for {what}: {error}") from error
        except (MinioException, ValueError) as error:
            raise StoreError(f"{what}: {error}") from error

    def _translated(self, error: S3Error, what: str) -> StoreError:
        message = f"{what} in bucket {self.bucket}: {error.code}, {error.message}"
        if error.code == "NoSuchBucket":
            return Unavailable(f"the store at {self.endpoint} has no bucket {self.bucket}")
        if error.code in ABSENT:
            return NotFound(message)
        if error.code == "ExistingObjectIsDirectory":
            return _FolderVanished(message)
        if error.code == "BadRequest":
            return _Unexplained(message)
        if error.code == "InvalidRange":
            return _BeyondTheEnd(message)
        if error.code in FULL:
            return Full(message)
        if error.code in BUSY:
            return Unavailable(message)
        return _by_status(error.response.status, message)


class _FolderVanished(Unavailable):
    """The folder of the key was removed while the object was being put."""


class _Unexplained(StoreError):
    """The server refuses the request, and doesn't say why."""


class _BeyondTheEnd(StoreError):
    """A ranged read began at or after the object's end."""


def _by_status(status: int, message: str) -> StoreError:
    if status == 404:
        return NotFound(message)
    if status == 412:
        return Changed(message)
    if status == 507:
        return Full(message)
    if status >= 500 or status in (408, 429):
        return Unavailable(message)
    return StoreError(message)


def _stat(found: minio.datatypes.Object) -> Stat:
    modified = found.last_modified.timestamp() if found.last_modified else 0.0
    note = (found.metadata or {}).get(NOTE, "")
    return Stat(found.object_name or "", found.size or 0, _bare(found.etag), modified, str(note))


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')
