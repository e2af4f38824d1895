"""Questions to each part that only a working one can answer; each returns a callable that raises when it doesn't."""

import http.client
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosk.local.process import Broken
from kiosk.local.s3 import Keys

if TYPE_CHECKING:
    from inference.models import Model

HEARTBEAT_SECONDS = 20.0
"""A stage touches its file every second; after twenty times that, it counts as stuck."""


class NoAnswer(Exception):  # what happened, not whose error
    """A part is there and doesn't do its work; the message says what came instead."""


def kafka_answers(address: str) -> Callable[[], None]:
    """Ask a broker for its metadata.

    Parameters
    ----------
    address
        ``host:port``.
    """
    from streams.kafka import answers

    return answers(address)


def s3_answers(endpoint: str, keys: Keys) -> Callable[[], object]:
    """List the buckets.

    Parameters
    ----------
    endpoint
        ``http://host:port``.
    keys
        Of the server.
    """
    from kiosk.local.settings import BUCKET
    from storage.s3 import S3Store

    return S3Store(endpoint, keys.access, keys.secret, BUCKET).answers


def models_answer(address: str, models: Collection["Model"], instances: int) -> Callable[[], Awaitable[None]]:
    """Let every model work on small tiles; Triton itself calls a model ready whose process is dead.

    One tile at a time is always given to the same instance, and the others' death is never seen. So there are twice
    as many at once as there are instances; under load a dead one is met only now and then, and once is enough.

    Parameters
    ----------
    address
        ``host:port`` of Triton's gRPC endpoint.
    models
        What it serves.
    instances
        Of each model.
    """
    from inference.triton import ModelDead, ModelFailed, ModelStumbled, ModelUnavailable, Triton

    client = Triton(address, timeout=10)

    async def ask() -> None:
        for model in models:
            try:
                await client.check(model, 2 * instances)
            except ModelDead as why:
                raise Broken(f"a process of the model {model.name} has died: {why}") from why
            except (ModelUnavailable, ModelFailed, ModelStumbled) as why:
                raise NoAnswer(f"the model {model.name} does not answer") from why

    return ask


def http_answers(address: str, path: str) -> Callable[[], None]:
    """Get a page and insist on status 200.

    Parameters
    ----------
    address
        ``http://host:port``.
    path
        From ``/`` on.
    """

    def ask() -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=3)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise NoAnswer(f"{path} answered {response.status} {response.reason}")
        finally:
            connection.close()

    return ask


def heart_beats(file: Path) -> Callable[[], None]:
    """Look whether a process has touched its file lately.

    Parameters
    ----------
    file
        What the process was told to touch.
    """

    def ask() -> None:
        if not file.exists():
            raise NoAnswer("it has not begun to work")
        age = time.time() - file.stat().st_mtime
        if age > HEARTBEAT_SECONDS:
            raise NoAnswer(f"its last sign of life is {age:.0f} s old")

    return ask
