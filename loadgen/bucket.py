"""A bucket as an auditor reads it: listed and fetched, never written. It knows the S3 client by itself on purpose."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from minio import Minio
from minio.datatypes import Object
from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

ATTEMPTS = 3
ABSENT = {"NoSuchKey", "ResourceNotFound", "PreconditionFailed"}
"""There is no such object, or not with that etag."""
Answer = TypeVar("Answer")


class BucketAway(Exception):
    """The bucket can't be read, so nothing can be said of it."""


class Seen(NamedTuple):
    """An object as a listing shows it; `modified` in seconds since 1970."""

    key: str
    modified: float


class Bucket(Protocol):
    """What the audit asks of a bucket; safe from any thread; raises only `BucketAway`."""

    def get(self, key: str) -> bytes | None:
        """The whole object, or none."""

    def size(self, key: str, etag: str) -> int | None:
        """The length in bytes of the object with this etag, or none."""

    def part(self, key: str, start: int, length: int, etag: str) -> bytes | None:
        """Bytes `start` to `start + length` of the object with this etag, or none."""

    def list(self, prefix: str) -> Iterator[Seen]:
        """Every object whose key begins with `prefix`."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The names directly below a prefix that ends with a slash."""


class S3Bucket:
    """A bucket on any S3 server.

    Parameters
    ----------
    endpoint
        Scheme, host and port.
    access_key, secret_key
        Who asks.
    bucket
        Its name.
    connections
        How many threads may read at once.
    """

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, connections: int = 16) -> None:
        address = urlsplit(endpoint)
        retry = Retry(total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), raise_on_status=False)
        self._name = f"the bucket {bucket!r} at {endpoint}"
        self._bucket = bucket
        self._client = Minio(
            address.netloc,
            access_key,
            secret_key,
            secure=address.scheme == "https",
            region="us-east-1",  # saves a question; servers that care have it in their address
            http_client=PoolManager(maxsize=connections, timeout=Timeout(connect=3, read=30), retries=retry),
        )

    def get(self, key: str) -> bytes | None:
        """The whole object, or none; a body that breaks off is asked for again."""
        return self._asked(lambda: self._read(key))

    def size(self, key: str, etag: str) -> int | None:
        """The length in bytes of the object with this etag, or none."""
        found = self._asked(lambda: self._client.stat_object(self._bucket, key))
        return found.size if found and found.etag == etag else None

    def part(self, key: str, start: int, length: int, etag: str) -> bytes | None:
        """Bytes `start` to `start + length` of the object with this etag, or none."""
        if not length:
            return b""  # to the client that means all
        return self._asked(lambda: self._read(key, start, length, etag))

    def _asked(self, ask: Callable[[], Answer]) -> Answer | None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return ask()
            except S3Error as error:
                if error.code in ABSENT:
                    return None
                raise self._away(error) from None
            except (HTTPError, InvalidResponseError, ServerError, OSError) as error:
                if attempt == ATTEMPTS:
                    raise self._away(error) from None
                time.sleep(0.2 * attempt)
        return None

    def list(self, prefix: str) -> Iterator[Seen]:
        """Every object whose key begins with `prefix`."""
        for found in self._listed(prefix, recursive=True):
            if not found.is_dir:
                yield Seen(found.object_name or "", found.last_modified.timestamp() if found.last_modified else 0.0)

    def folders(self, prefix: str) -> Iterator[str]:
        """The names directly below a prefix that ends with a slash."""
        for found in self._listed(prefix, recursive=False):
            if found.is_dir:
                yield (found.object_name or "")[len(prefix) :].rstrip("/")

    def _listed(self, prefix: str, recursive: bool) -> Iterator[Object]:
        try:
            yield from self._client.list_objects(self._bucket, prefix, recursive=recursive)
        except (S3Error, HTTPError, InvalidResponseError, ServerError, OSError) as error:
            raise self._away(error) from None

    def _read(self, key: str, start: int = 0, length: int = 0, etag: str = "") -> bytes:
        pinned: dict[str, str | list[str] | tuple[str]] | None = {"If-Match": f'"{etag}"'} if etag else None
        answer = self._client.get_object(self._bucket, key, start, length, pinned)
        try:
            return answer.read()  # to its end, which gives the connection back
        except BaseException:
            answer.close()
            raise

    def _away(self, error: Exception) -> BucketAway:
        why = f"{error.code}: {error.message}" if isinstance(error, S3Error) else str(error)
        return BucketAway(f"{self._name} can't be read: {why}")
