"""The process that keeps all others: makes the table, hands it to the supervisor, and writes down how things are."""

import asyncio
import fcntl
import logging
import signal
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, Any

from kiosk.local import ports
from kiosk.local.leftovers import kill_leftovers, own_record
from kiosk.local.processes import EVERYTHING, Place, Table, table
from kiosk.local.settings import BUCKET, HERE
from kiosk.local.state import State
from kiosk.local.supervisor import Kept, Supervisor

log = logging.getLogger(__name__)


class AlreadyRunning(Exception):  # what happened, not whose error
    """Another process keeps this state folder's parts."""


def prepare(place: Place, parts: Collection[str] = EVERYTHING) -> None:
    """Make the topics and the bucket; what is there already stays.

    Parameters
    ----------
    place
        Where Kafka and the S3 server answer by now.
    parts
        What runs here.
    """
    if "kafka" in parts:
        from streams.kafka import create_topics

        create_topics(place.addresses["kafka"])
    if "s3" in parts:
        from storage.s3 import S3Store

        keys = place.state.keys()
        store = S3Store(place.addresses["s3"], keys.access, keys.secret, BUCKET)
        store.create_bucket()
        log.info("the store: %s", ", ".join(store.probe()))


def serve(
    state: State,
    cache: Path,
    parts: Collection[str] = EVERYTHING,
    usual: Mapping[str, int] = ports.USUAL,
    make: Table = table,
    prepared_by: Callable[[Place, Collection[str]], None] = prepare,
    through: Mapping[str, str] | None = None,
    host: str = HERE,
) -> None:
    """Run everything until SIGTERM or SIGINT.

    Parameters
    ----------
    state
        The state folder; one supervisor at a time.
    cache
        Where everything is installed already.
    parts
        What to run.
    usual
        The ports to try first.
    make
        The table of processes.
    prepared_by
        Called when the servers work, before the rest starts.
    through
        Proxies, see `Place.through`.
    host
        See `Place.host`.

    Raises
    ------
    AlreadyRunning
        Another supervisor holds the state folder.
    """
    state.make()
    with hold(state), ports.Claims(cache / "ports") as claims:
        killed = kill_leftovers(state.status(), state.folder)
        if killed:
            log.warning("killed what an earlier life left running: %s", ", ".join(killed))
        place = Place(state, cache, ports.choose(state.remembered_ports(), usual, claims.take), through or {}, host)
        state.remember_ports({**state.remembered_ports(), **place.ports})
        own = own_record()

        def report(supervisor: Supervisor) -> None:
            processes = [_record(kept) for kept in supervisor.kept]
            shared = {"prepared": supervisor.prepared, "error": supervisor.error, "addresses": place.addresses}
            observed = set(ports.OBSERVERS) <= set(parts)
            state.write_status({"supervisor": own, **shared, "observed": observed, "processes": processes})

        asyncio.run(_until_told(Supervisor(make(place, parts), report, lambda: prepared_by(place, parts))))


def hold(state: State) -> IO[str]:
    """Take the state folder for this process; the kernel lets go of it when the process or the file ends.

    Parameters
    ----------
    state
        The folder.

    Raises
    ------
    AlreadyRunning
        Another process has it.
    """
    file = (state.run / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(f"{state.folder} is in use by another supervisor") from None
    return file


async def _until_told(supervisor: Supervisor) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await supervisor.run(stop)


def _record(kept: Kept) -> dict[str, Any]:
    """Return a process's entry in the status file."""
    return {
        "name": kept.process.name,
        "pid": kept.pid,
        "created": kept.created,
        "state": kept.phase,
        "restarts": kept.restarts,
        "since": kept.since,
        "error": kept.error,
    }
