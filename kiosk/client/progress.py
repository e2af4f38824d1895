"""Progress of a job or a transfer, in a terminal or a notebook: tqdm's only home."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kiosk.contract import JobView


@contextmanager
def of_job(name: str, show: bool) -> Iterator[Callable[[JobView], None]]:
    """Yields what takes a job's states."""
    if not show:
        yield lambda state: None
        return
    with _bar(desc=name, unit="image", total=0) as bar:

        def take(state: JobView) -> None:
            bar.total = state.images or 0
            rejected = f"{state.rejected} rejected" if state.rejected else ""
            bar.set_postfix_str(state.held or state.waiting or rejected, refresh=False)
            bar.update(state.labelled + state.rejected + state.cancelled - bar.n)

        yield take


@contextmanager
def of_transfer(name: str, total: int | None, show: bool) -> Iterator[Callable[[int], None]]:
    """Yields what takes the bytes so far."""
    if not show:
        yield lambda count: None
        return
    with _bar(desc=name, unit="B", unit_scale=True, unit_divisor=1000, total=total) as bar:
        yield lambda count: bar.update(count - bar.n)


def wanted(show: bool | None) -> bool:
    """Whether to draw; where nobody said, if a person can see it and tqdm is there."""
    if show is None:
        show = sys.stderr.isatty() or "ipykernel" in sys.modules
    return show and find_spec("tqdm") is not None


def _bar(**how: Any) -> Any:
    """A bar of the kind that this place can show; the one for notebooks needs their widgets."""
    widgets = "ipykernel" in sys.modules and find_spec("ipywidgets") is not None
    return import_module("tqdm.notebook" if widgets else "tqdm.std").tqdm(**how)
