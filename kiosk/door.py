"""A client for a command: found, and known to answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from kiosk.errors import NotRunning

if TYPE_CHECKING:
    from kiosk.client import Monolayer


@contextmanager
def opened(ctx: typer.Context) -> "Iterator[Monolayer]":
    """A client of the API; raises `NotRunning` at once where nothing answers."""
    from kiosk.client import Monolayer
    from kiosk.find import find_api

    api = find_api(ctx.obj)
    with Monolayer(api) as monolayer:
        try:
            monolayer.health()
        except NotRunning:
            raise NotRunning(_absent(ctx.obj, api)) from None
        yield monolayer


def _absent(named: str | None, api: str) -> str:
    if named:
        return f"Nothing answers at {api}, where MONOLAYER_API or --api says that Monolayer is."
    return "Monolayer is not running; start it with `monolayer up`."
