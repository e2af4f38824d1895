"""The connections to an object store: how many are kept, how long they wait, how often they try again."""

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout

from storage import operations

THREADS = 32
"""How many connections are kept open for as many threads."""
CONNECT_SECONDS = 2.0
READ_SECONDS = 30.0


class _AsStored(PoolManager):
    """Bytes as they are stored, even where someone uploaded them with a content encoding; requests are counted."""

    def urlopen(  # type: ignore[override]  # urllib3 names its options in the methods below this one
        self, method: str, url: str, redirect: bool = True, **options: object
    ) -> BaseHTTPResponse:
        answer = super().urlopen(method, url, redirect, decode_content=False, **options)
        body, length = options.get("body"), answer.headers.get("content-length", "0")
        received = int(length) if length.isdigit() and method != "HEAD" else 0
        operations.count(method, url, len(body) if isinstance(body, bytes) else 0, received)
        return answer


def connections() -> PoolManager:
    """A pool for one server; a body that ends early is an error, never a short answer."""
    retries = Retry(
        total=3,
        read=1,  # a read may have waited for 30 s already
        redirect=0,
        backoff_factor=0.05,
        backoff_jitter=0.1,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=None,  # every call of a Store may be repeated
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    return _AsStored(num_pools=2, maxsize=THREADS, timeout=timeout, retries=retries)
