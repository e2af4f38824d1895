"""Every request to a store is counted once, in the class that its bill has it in."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from observability.cost import Asked
from storage import operations
from storage.connections import connections
from storage.operations import Since, class_of


@pytest.mark.parametrize(
    ("method", "url", "kind"),
    [
        ("PUT", "http://s/bucket/key", "A"),
        ("PUT", "http://s/bucket/key?partNumber=1&uploadId=u", "A"),
        ("POST", "http://s/bucket/key?uploads", "A"),
        ("POST", "http://s/bucket/key?uploadId=u", "A"),
        ("GET", "http://s/bucket?list-type=2&prefix=a", "A"),
        ("GET", "http://s/bucket/key?uploadId=u", "A"),
        ("GET", "http://s/", "A"),
        ("GET", "http://s/bucket/key", "B"),
        ("HEAD", "http://s/bucket/key", "B"),
        ("DELETE", "http://s/bucket/key", "free"),
        ("POST", "http://s/bucket?delete=", "free"),
    ],
)
def test_a_request_has_the_class_that_its_bill_has_it_in(method: str, url: str, kind: str) -> None:
    assert class_of(method, url) == kind


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(b"12345")

    def do_HEAD(self) -> None:
        self._answer(b"12345", body=False)

    def log_message(self, format: str, *given: object) -> None:
        pass

    def _answer(self, data: bytes, body: bool = True) -> None:
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[str]:
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}/bucket"
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_requests_and_bytes_are_counted_where_they_are_made(server: str) -> None:
    since, pool = Since(), connections()
    pool.urlopen("PUT", f"{server}/key", body=b"123")
    pool.urlopen("GET", f"{server}/key")
    pool.urlopen("HEAD", f"{server}/key")
    pool.urlopen("GET", f"{server}/missing")
    pool.clear()
    assert since() == Asked(a=1, b=3, sent=3, received=10)
    assert since() == Asked()


def test_what_others_asked_for_counts_as_ones_own() -> None:
    since = Since()
    operations.count_others(Asked(1, 2, 3, 4))
    assert since() == Asked(1, 2, 3, 4)
