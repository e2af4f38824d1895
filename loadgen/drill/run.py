"""One drill: a Monolayer of its own, scene after scene, and which alerts fired in the one that they are for."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from kiosk.local.alerts import firing
from loadgen.chaos.records import Records
from loadgen.chaos.stack import Stack
from loadgen.drill.scenes import Scene
from loadgen.drill.site import Site

LOOK_SECONDS = 2.0
SMALL_DISK = "4g"
"""Of what keeps the metrics: less than the 5 GB that have to be free."""
PRICES = "workstation"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert, what it is for, and after how many seconds of that it fired; none where it stayed silent."""

    alert: str
    scene: str
    seconds: float | None


async def drill(folder: Path, scenes: Sequence[Scene], tell: Tell) -> list[Alarm]:
    """Start a system in a folder, play the scenes, stop it; returns each alert's outcome, every rule's.

    Parameters
    ----------
    folder
        For the system's state; stays.
    scenes
        What to break, in this order.
    tell
        Hears how far it is.
    """
    state = folder / "state"
    stack = Stack(state, workers=1, observed=True, variables={"MONOLAYER_PRICES": PRICES})
    async with small_disk(state / "victoriametrics" / "data", tell):
        try:
            tell("starting a Monolayer of its own")
            await stack.start(tell)
            site = Site(stack, Records(stack.environment["MONOLAYER_KAFKA"]), folder)
            alarms = [alarm for scene in scenes for alarm in await play(scene, site, tell)]
            return alarms + [
                Alarm(alert, "", None) for alert in sorted(_rules(stack) - {alarm.alert for alarm in alarms})
            ]
        finally:
            await asyncio.shield(stack.stop())


async def play(scene: Scene, site: Site, tell: Tell) -> list[Alarm]:
    """Break something until its alerts fire, or for its minutes; mend it, and wait until everything works again."""
    tell(scene.what)
    begun, fired = time.monotonic(), dict[str, float]()
    async with scene.broken(site):
        while len(fired) < len(scene.alerts) and time.monotonic() < begun + 60 * scene.minutes:
            found = await asyncio.to_thread(firing, site.stack.address("vmalert"))
            for name in {alert.name for alert in found or ()} & set(scene.alerts) - fired.keys():
                fired[name] = time.monotonic() - begun
                tell(f"{name} fires")
            await asyncio.sleep(LOOK_SECONDS)
    await site.stack.ready()
    return [Alarm(alert, scene.what, fired.get(alert)) for alert in scene.alerts]


@asynccontextmanager
async def small_disk(folder: Path, tell: Tell) -> AsyncIterator[None]:
    """Lay a small disk over a folder; only root may, so that for others one alert stays silent."""
    mounted = await asyncio.to_thread(_mounted, folder)
    if not mounted:
        tell("no small disk could be mounted, which only root may: MonolayerDiskNearlyFull stays silent")
    try:
        yield
    finally:
        if mounted:
            await asyncio.to_thread(subprocess.run, ["umount", str(folder)], check=False)


def _mounted(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "monolayer-drill", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def _rules(stack: Stack) -> set[str]:
    """All alerts that there are rules for, as whoever judges them tells it."""
    told = httpx.get(f"{stack.address('vmalert')}/api/v1/rules").raise_for_status().json()
    return {rule["name"] for group in told["data"]["groups"] for rule in group["rules"]}
