import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Protocol

import pytest

from observability.cost import Asked
from storage.objects import Part, StoreError, Unavailable
from storage.operations import Since
from storage.s3 import S3Store
from tests.storage.contract import StoreContract


class Server(Protocol):
    endpoint: str
    access_key: str
    secret_key: str


@pytest.fixture(scope="session")
def bucket(s3_server: Server) -> S3Store:
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, f"contract-{os.getpid()}")
    store.create_bucket()
    return store


@pytest.mark.integration
class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, bucket: S3Store) -> S3Store:
        return bucket

    @pytest.fixture
    def put_part(self) -> Callable[[str, bytes], str]:
        return _put


@pytest.mark.integration
def test_making_the_bucket_twice_is_no_error(bucket: S3Store) -> None:
    bucket.create_bucket()


@pytest.mark.integration
def test_every_call_is_counted_as_the_requests_that_it_makes(bucket: S3Store) -> None:
    since = Since()
    bucket.put("counted/a", b"12345")
    assert since() == Asked(a=1, sent=5)
    assert bucket.get("counted/a") == b"12345"
    assert since() == Asked(b=1, received=5)
    bucket.stat("counted/a")
    assert since() == Asked(b=1)
    assert len(list(bucket.list("counted/"))) == 1
    assert since()[:3] == (1, 0, 0)
    bucket.delete(["counted/a"])
    assert since()[:2] == (0, 0)
    upload = bucket.start_upload("counted/b")
    part = _put(bucket.part_url("counted/b", upload, 1), b"12345")
    bucket.finish_upload("counted/b", upload, [Part(1, part)])
    assert since()[:2] == (3, 1)  # begun, the client's part, put together, looked for
    bucket.delete(["counted/b"])


@pytest.mark.integration
def test_the_probe_says_what_the_server_can_do(bucket: S3Store) -> None:
    assert "pinned read" in bucket.probe()
    assert list(bucket.list("scratch/probe-")) == []


@pytest.mark.integration
def test_a_missing_bucket_is_an_outage_and_not_a_missing_object(s3_server: Server) -> None:
    store = S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, "never-made")
    with pytest.raises(Unavailable, match="no bucket never-made"):
        store.get("key")


@pytest.mark.integration
def test_a_wrong_secret_is_refused_in_words(s3_server: Server, bucket: S3Store) -> None:
    store = S3Store(s3_server.endpoint, s3_server.access_key, "wrong", bucket.bucket)
    with pytest.raises(StoreError, match="SignatureDoesNotMatch") as caught:
        store.get("key")
    assert not isinstance(caught.value, Unavailable)


def test_a_server_that_is_not_there_is_unavailable_soon() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(Unavailable, match="gave no proper answer for some/key"):
        S3Store(f"http://127.0.0.1:{port}", "key", "secret", "bucket").get("some/key")
    assert time.monotonic() - began < 10


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="not like http://host:port"):
        S3Store("127.0.0.1:9000", "key", "secret", "bucket")


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", Unavailable, "IncompleteRead"),
        (b"HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n", Unavailable, "503"),
        (b"HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n", Unavailable, "507"),
        (b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>", Unavailable, "502"),
        (b"HTTP/1.1 500 No\r\nContent-Type: application/xml\r\nContent-Length: 2\r\n\r\n<<", Unavailable, "some/key"),
        (b"nonsense\r\n\r\n", Unavailable, "some/key"),
    ],
)
def test_what_is_no_whole_answer_raises(answer: bytes, error: type[Exception], words: str) -> None:
    with _canned(answer) as endpoint, pytest.raises(error, match=words):
        S3Store(endpoint, "key", "secret", "bucket").get("some/key")


def test_a_server_that_ignores_ranges_can_not_be_used() -> None:
    with (
        _canned(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789") as endpoint,
        pytest.raises(StoreError, match="answers a ranged read"),
    ):
        S3Store(endpoint, "key", "secret", "bucket").get("some/key", 2, 3)


def test_bytes_stored_with_a_content_encoding_come_as_they_are() -> None:
    with _canned(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n0123") as endpoint:
        assert S3Store(endpoint, "key", "secret", "bucket").get("some/key") == b"0123"


class _canned:  # noqa: N801 - reads as a function
    """A server that gives the same answer to everything."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)


def _put(url: str, data: bytes) -> str:
    request = urllib.request.Request(url, data, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers["ETag"]).strip('"')
