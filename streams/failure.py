"""How a stage may fail, and what that means: never, or not now.

Rejected        can never succeed, however often it is tried
anything else   is tried again; where a part of the system is away (`is_outage`), without being counted
"""

from inference.models import ModelDescriptionError
from inference.triton import ModelFailed, ModelUnavailable
from storage.claims import Damaged
from storage.objects import Changed, NotFound, StoreError
from storage.unreadable import Unreadable
from streams.breaker import STRIKES, ModelKilled
from streams.events import ReasonClass


class Rejected(Exception):
    """This input can never succeed; `message` is one sentence for the person who sent it."""

    def __init__(self, reason: ReasonClass, message: str, attempts: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.attempts = attempts
        """As counted by whoever raises this; 0: by whoever tried."""


def verdict(error: Exception, name: str) -> Rejected | None:
    """The rejection that an error amounts to, or none where trying again may help."""
    match error:
        case Rejected():
            return error
        case Unreadable():
            return Rejected(error.reason, str(error))
        case Changed():
            return Rejected("bad_input", f"{name}: source changed: the object was replaced after it was accepted")
        case ModelFailed() | ModelDescriptionError():
            return Rejected("model_error", f"{name}: {error}")
        case ModelKilled():
            return Rejected("killed", f"{name}: {error}", STRIKES)
    return None


def is_outage(error: Exception) -> bool:
    """Whether a part of the system is away: nobody's fault, and no attempt counts."""
    if isinstance(error, StoreError):
        return not isinstance(error, NotFound | Changed)  # away, or refusing everybody: no image's fault
    return isinstance(error, ModelUnavailable)


def is_derived(error: Exception) -> bool:
    """Whether something between two stages is missing or damaged and has to be computed again."""
    return isinstance(error, Damaged | NotFound)
