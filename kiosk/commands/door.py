"""A client for a command: found, and known to answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import typer

from kiosk.commands import screen
from kiosk.errors import CannotSend, NotRunning

if TYPE_CHECKING:
    from kiosk.client import Monolayer

_WHOLE = 20
"""Letters of a job's id."""
_LOOKED_AT = 500
"""The newest jobs, among which the beginning of an id is looked for."""


class Named(NamedTuple):
    """What the command line or the environment says of the Monolayer that is meant."""

    api: str | None = None
    token: str | None = None


@contextmanager
def opened(ctx: typer.Context) -> "Iterator[Monolayer]":
    """A client of the API; raises `NotRunning` at once where nothing answers."""
    from kiosk.client import Monolayer
    from kiosk.client.calls import find_api

    named: Named = ctx.obj
    api = find_api(named.api)
    with Monolayer(api, token=named.token, late=lambda: screen.warn("Monolayer doesn't answer; waiting.")) as monolayer:
        try:
            monolayer.health()
        except NotRunning:
            raise NotRunning(_absent(named.api, api)) from None
        yield monolayer


def whole_id(monolayer: "Monolayer", job: str) -> str:
    """The id of the one job whose id begins so; raises `CannotSend` where there are several."""
    if len(job) >= _WHOLE:
        return job
    found = [each.job for each in monolayer.jobs(_LOOKED_AT) if each.job.startswith(job)]
    if len(found) > 1 and job not in found:
        raise CannotSend(f"Several jobs begin with {job}: {', '.join(found[:5])}{', ...' if found[5:] else ''}.")
    return found[0] if len(found) == 1 else job


def _absent(named: str | None, api: str) -> str:
    if named:
        return f"Nothing answers at {api}, where MONOLAYER_API or --api says that Monolayer is."
    return f"Monolayer is starting, or in trouble: nothing answers at {api}; `monolayer status` says more."
