"""A proxy that passes bytes on as they come, and cuts every connection each time so many have gone up."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

from kiosk.local.ports import other

PIECE = 256 * 1024


class Cutting(ThreadingTCPServer):
    """Listens on 127.0.0.1. What has arrived before a cut is the server's: half a request, mostly.

    Parameters
    ----------
    server
        Returns ``http://host:port``; asked at every new connection.
    every
        Bytes that go up between two cuts.
    most
        Cuts in all.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, server: Callable[[], str], every: float, most: int) -> None:
        super().__init__(("127.0.0.1", other(set())), _Connection)
        self.server = server
        self.sent, self.cuts = 0, 0
        self._every, self._most = every, most
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def opened(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open |= {*ends}

    def closed(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open -= {*ends}
        for end in ends:
            _cut(end)

    def count(self, size: int) -> None:
        """So many bytes have gone up."""
        with self._lock:
            self.sent += size
            if self.cuts == self._most or self.sent < (self.cuts + 0.5) * self._every:
                return
            self.cuts += 1
            for end in self._open:
                _cut(end)


class _Connection(BaseRequestHandler):
    server: Cutting

    def handle(self) -> None:
        host, port = urlsplit(self.server.server()).netloc.split(":")
        with suppress(OSError), socket.create_connection((host, int(port))) as there:
            self.server.opened(self.request, there)
            down = Thread(target=_pass, args=(there, self.request), daemon=True)
            down.start()
            try:
                _pass(self.request, there, self.server.count)
            finally:
                self.server.closed(self.request, there)
                down.join()


def _pass(source: socket.socket, target: socket.socket, count: Callable[[int], None] = lambda size: None) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
            count(len(piece))
    _cut(target)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(server: Callable[[], str], every: float, most: int) -> Iterator[Cutting]:
    """Run such a proxy."""
    with Cutting(server, every, most) as proxy:
        serving = Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
