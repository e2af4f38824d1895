"""Requests to an object store as its bill counts them: two classes that have a price, the rest free; and bytes."""

from urllib.parse import urlsplit

from observability import metrics
from observability.cost import Asked
from observability.instruments import values

FREE = "free"
_LISTS = {"list-type", "uploads", "uploadId"}
"""In the query of a GET: a listing, of objects, uploads or parts."""


class Since:
    """What this process has asked for since it was last asked here: no request is told of twice."""

    def __init__(self) -> None:
        self._last = total()

    def __call__(self) -> Asked:
        """All that was asked for since the last call."""
        before, self._last = self._last, total()
        return self._last.less(before)


def class_of(method: str, url: str) -> str:
    """`A` (puts, lists, multipart), `B` (gets, heads) or `free` (deletes).

    As Google counts the requests of its S3 interface; Amazon's tiers are the same.
    """
    address = urlsplit(url)
    asked = {part.partition("=")[0] for part in address.query.split("&")}
    if method == "DELETE" or (method == "POST" and "delete" in asked):
        return FREE
    if method == "HEAD":
        return "B"
    lists = address.path in ("", "/") or not _LISTS.isdisjoint(asked)
    return "B" if method == "GET" and not lists else "A"


def count(method: str, url: str, sent: int, received: int) -> None:
    """A request was answered."""
    metrics.STORE_OPERATIONS.labels(class_of(method, url)).inc()
    _count_bytes(sent, received)


def count_others(asked: Asked) -> None:
    """Somebody asked for this on behalf of this process."""
    metrics.STORE_OPERATIONS.labels("A").inc(asked.a)
    metrics.STORE_OPERATIONS.labels("B").inc(asked.b)
    _count_bytes(asked.sent, asked.received)


def total() -> Asked:
    """All that this process has asked for so far."""
    told = values(metrics.STORE_OPERATIONS) | values(metrics.STORE_BYTES)
    return Asked(*(round(told.get((kind,), 0)) for kind in ("A", "B", "sent", "received")))


def _count_bytes(sent: int, received: int) -> None:
    metrics.STORE_BYTES.labels("sent").inc(sent)
    metrics.STORE_BYTES.labels("received").inc(received)
