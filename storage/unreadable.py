"""The one error of files that can't be read: whose fault it is, and a sentence for the person who sent it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Reason = Literal["bad_input", "too_large", "unsupported"]


class Unreadable(Exception):
    """A file can't be read, now or later.

    Attributes
    ----------
    reason
        `bad_input`: broken or not what it claims to be; `too_large`: beyond what one image may be; `unsupported`: a
        sound file of a kind that is not read.
    arrived
        Whether a checksum has told that its bytes are those that were sent: to read them again is of no use then.
    """

    def __init__(self, reason: Reason, message: str, arrived: bool = False) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.arrived = arrived

    def __reduce__(self) -> tuple[type["Unreadable"], tuple[Reason, str, bool]]:
        return Unreadable, (self.reason, str(self), self.arrived)


@contextmanager
def reading(arrived: bool) -> Iterator[None]:
    """Whatever is unreadable within, a checksum has told that its bytes arrived, or hasn't."""
    try:
        yield
    except Unreadable as why:
        why.arrived = arrived
        raise
