"""What can keep a client from its results. Every message is a sentence for a person.

MonolayerError
├── CannotSend    something among the paths or options can't be sent
├── CannotWrite   results can't be written where they were wanted
├── NotRunning    nothing answers at the API's address
├── Refused       the API says no
└── Broken        what came back makes no sense, or a transfer failed for good
"""


class MonolayerError(Exception):
    """Anything that keeps a request from succeeding."""


class CannotSend(MonolayerError):
    """Something among the paths or options can't be sent."""


class CannotWrite(MonolayerError):
    """Results can't be written where they were wanted."""


class NotRunning(MonolayerError):
    """Nothing answers at the API's address."""


class Refused(MonolayerError):
    """The API says no."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Broken(MonolayerError):
    """What came back makes no sense, or a transfer failed for good."""
