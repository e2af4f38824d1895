"""What the API and its clients say to each other of where time went: `kiosk.contract` goes on here."""

from kiosk.contract import Answer


class SpanView(Answer):
    """Something that took time: within its parent, from so many seconds after the trace's begin on."""

    span: str
    parent: str
    """Empty at the root."""
    name: str
    after: float
    seconds: float
    about: dict[str, str] = {}  # noqa: RUF012  # a model's default is copied; from here ruff can't see that it is one


class TraceView(Answer):
    """Where the time went, in the order in which it was spent."""

    trace: str
    """Its id; empty where there is no trace."""
    begun: float
    """Seconds since 1970."""
    seconds: float
    spans: list[SpanView]


class SlowImage(Answer):
    """An image that has ended, and how long that took."""

    image: int
    name: str
    round: int = 0
    seconds: float
    outcome: str
    attempts: int = 1


class JobTraceView(TraceView):
    """A job's own trace, and the slowest of its images."""

    slowest: list[SlowImage] = []  # noqa: RUF012  # a model's default is copied; from here ruff can't see that it is one
