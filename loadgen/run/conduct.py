"""A run from its first zip to its last job: made, sent, waited for, written down."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from loadgen.run import machine
from loadgen.run.archives import Archives, check_room
from loadgen.run.journal import About, Journal
from loadgen.run.plan import Due, Plan, images_in
from loadgen.run.schedule import WARMUP, schedule
from loadgen.run.sending import Client, Clock, Loop, Standing

Tell = Callable[[str], None]


def conduct(
    plan: Plan,
    folder: Path,
    clients: Sequence[Client],
    system: dict[str, str],
    stop: threading.Event,
    tell: Tell,
    patience: float,
) -> bool:
    """Send everything and wait until it has ended; whether it has. Raises `BadPlan` before anything is sent.

    Parameters
    ----------
    plan
        What is sent when.
    folder
        Of the report; what happens is written there as it does.
    clients
        One for each tenant.
    system
        What is under load, in words; its `api` is the address.
    stop
        Set: nothing more is sent or waited for.
    tell
        Hears of the progress.
    patience
        Seconds in which nothing ends after which nothing is waited for any longer.
    """
    clock, files = Clock(), images_in(Path(plan.folder)) if plan.folder else []
    folder.mkdir(parents=True, exist_ok=True)
    check_room(plan, files, folder)
    journal = Journal(folder, About(plan, clock.now(), machine.about(), dict(system)))
    loop = Loop(plan, clients, journal.sent, stop, clock)
    watch = machine.Watch(machine.here(system["api"]), journal.sampled, clock.now)
    settled = True
    with TemporaryDirectory(dir=folder, prefix="zips-") as name:
        archives = Archives(plan, files, Path(name))
        for zips in schedule(plan):
            archives.make(zips, stop, _made(tell, zips))
            with watch.watching(), loop.watched(_standing(tell, zips)):
                loop.send([(due, archives.path(due)) for due in zips])
                settled = loop.wait(patience)
            if not settled:
                break
    return settled and not stop.is_set()


def _made(tell: Tell, zips: Sequence[Due]) -> Callable[[int], None]:
    return lambda count: tell(f"made {count} of {len(zips)} zips")


def _standing(tell: Tell, zips: Sequence[Due]) -> Callable[[Standing], None]:
    repeat = zips[0].repeat
    what = "warming up" if repeat == WARMUP else f"repeat {repeat + 1}"

    def told(standing: Standing) -> None:
        failed = f", {standing.failed} not accepted" if standing.failed else ""
        tell(f"{what}: {standing.sent} zips sent{failed}, {standing.ended:,} images ended, {standing.left} jobs open")

    return told
