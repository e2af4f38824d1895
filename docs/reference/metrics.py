"""The metrics: the page that stands beside them in the code."""

from observability import metrics
from observability.page import page as printed


def page() -> str:
    """All metrics by subject."""
    return printed(metrics.BOOK, metrics.TRITON, metrics.DCGM)
