"""A span as a plain value: what ran from when to when, within what, and what is known of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

Value = str | int | float | bool


class Link(NamedTuple):
    """Another span that has to do with this one, in whichever trace."""

    trace: int
    span: int


class Span(NamedTuple):
    """Times are nanoseconds since 1970; a root has the parent 0. A tuple, as there are two dozen for every image."""

    trace: int
    span: int
    parent: int
    name: str
    begun: int
    ended: int
    about: Mapping[str, Value] = {}
    links: Sequence[Link] = ()
    failed: bool = False


class Exporter(Protocol):
    """Where spans go."""

    async def export(self, spans: Sequence[Span]) -> bool:
        """Hand spans on; whether they have arrived. Never raises, and never takes long: traces hold nobody up."""

    async def close(self) -> None:
        """Let go of the connection."""


class InMemory:
    """Keeps spans in a list: for tests and notebooks. `away` is a collector that can't be reached."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.away = False

    async def export(self, spans: Sequence[Span]) -> bool:
        """See `Exporter`."""
        if not self.away:
            self.spans += spans
        return not self.away

    async def close(self) -> None:
        """There is no connection."""
