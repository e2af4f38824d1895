"""What a worker and its decoders say to one another: JSON, a packet each, and beside it pixels in memory they share.

Packets of a Unix socket arrive whole and in order; a socket that is at its end says that the other side is no more.
Known errors arrive as what they were, so that an outage stays an outage; others keep their name and their words.
"""

import json
import mmap
import os
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from storage.images import Image, Planes
from storage.objects import Changed, Full, NotFound, StoreError, Unavailable
from storage.unreadable import Unreadable

MOST = 1 << 17
"""Bytes of a packet; the system takes 208 KB at once."""
MOST_WORDS = 10_000
"""Characters of an error's message: as JSON, a fraction of a packet."""
_KNOWN: tuple[type[Exception], ...] = (NotFound, Changed, Full, Unavailable, StoreError, MemoryError)


class Wanted(NamedTuple):
    """One channel of one image: where its file lies (see `storage.sources`), and what it is called in sentences."""

    key: str
    etag: str
    offset: int
    span: int | None
    packed: int | None
    size: int
    method: int
    crc: int | None
    name: str
    channel: int | None


class Told(NamedTuple):
    """A packet, and the memory that came with it: a file descriptor that the receiver has to close."""

    words: dict[str, Any]
    memory: int | None = None


class Strange(Exception):
    """An error of a kind that is only known where it was raised; its class bears that kind's name."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that speak to one another."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(channel: socket.socket, words: dict[str, Any], attached: Sequence[int] = ()) -> None:
    """Send a packet, with file descriptors attached; raises `OSError` where nobody is there any more."""
    socket.send_fds(channel, [json.dumps(words).encode()], attached)


def receive(channel: socket.socket) -> Told | None:
    """The next packet; none where the other side is no more."""
    try:
        data, attached, _, _ = socket.recv_fds(channel, MOST, 1)
    except ConnectionError:
        return None
    return Told(json.loads(data), attached[0] if attached else None) if data else None


def share(planes: Planes) -> int:
    """Memory with a copy of these pixels; it lasts as long as somebody has it open or mapped."""
    memory = os.memfd_create("pixels")
    rest = planes.data.cast("B")
    while rest:
        rest = rest[os.write(memory, rest) :]
    return memory


def describe(image: Image) -> dict[str, Any]:
    """All of an image but its pixels."""
    return {
        "shape": image.planes.shape,
        "dtype": image.dtype,
        "pixel_size": image.pixel_size,
        "channels": image.channels,
    }


def image(told: Told) -> Image:
    """The image that was described and shared, without a copy of its pixels; closes the memory."""
    assert told.memory is not None
    try:
        mapped = mmap.mmap(told.memory, 0, mmap.MAP_SHARED, mmap.PROT_READ)
    finally:
        os.close(told.memory)
    words = told.words
    planes = np.frombuffer(mapped, words["dtype"]).reshape(words["shape"])
    return Image(planes, words["pixel_size"], words["channels"])


def confess(error: Exception) -> dict[str, Any]:
    """An error in words."""
    words = {"message": str(error)[:MOST_WORDS]}
    if isinstance(error, Unreadable):
        return {"error": "Unreadable", "reason": error.reason, "arrived": error.arrived, **words}
    kind = next((known for known in _KNOWN if isinstance(error, known)), type(error))
    return {"error": kind.__name__, **words}


def error(words: dict[str, Any]) -> Exception:
    """The error that was put into words."""
    name, message = words["error"], words["message"]
    if name == "Unreadable":
        return Unreadable(words["reason"], message, words["arrived"])
    kinds = {known.__name__: known for known in _KNOWN}
    return kinds[name](message) if name in kinds else type(name, (Strange,), {})(message)
