"""What the endpoints are given to work with."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Protocol

from fastapi import Depends, Request

from inference.models import Model
from kiosk.access.caller import NOBODY, Caller
from kiosk.access.holdings import Holdings
from kiosk.api.jaeger import Keeps
from kiosk.api.threads import Threads
from observability.cost import Prices
from storage.objects import Store
from streams.events import Event


class Announces(Protocol):
    """Tells the stages: `streams.kafka.Announcer`, or a list in tests."""

    def announce(self, event: Event) -> None:
        """Return when the event can't be lost any more."""


@dataclass(frozen=True, slots=True)
class Tools:
    """One of each per process, and the caller of the request at hand."""

    store: Store
    announcer: Announces
    models: Mapping[str, Model]
    traces: Keeps | None = None
    """Who keeps traces; none where nothing is traced."""
    prices: Prices | None = None
    """What things cost; none where nobody knows."""
    tick: float = 1.0
    """Seconds between two looks at a job whose progress is followed."""
    holdings: Holdings = field(kw_only=True)
    """What jobs there are, and whose."""
    secret: bytes = b""
    """What all replicas know and nobody else."""
    private: bool = False
    """Whether who is told of a job's end may be in this network."""
    caller: Caller = NOBODY
    """Who makes the request at hand."""
    drawing: threading.Lock = field(default_factory=threading.Lock)
    """Held while an image's pixels are in memory: one at a time, however many results are fetched."""
    pictures: Threads = field(default_factory=lambda: Threads(4))
    """Where pictures are made."""
    zips: Threads = field(default_factory=lambda: Threads(8))
    """Where results are put together."""


def tools(request: Request) -> Tools:
    """What `create_app` was given, for whoever asks."""
    given: Tools = request.app.state.tools
    return replace(given, caller=request.state.caller)


Given = Annotated[Tools, Depends(tools)]
