"""Monolayer from Python: `from kiosk.client import Kiosk`."""

from kiosk.client.awaited import AsyncJob, AsyncKiosk
from kiosk.client.extras import NotInstalled
from kiosk.client.job import Image, Job
from kiosk.client.kiosk import Kiosk
from kiosk.client.monolayer import Monolayer
from kiosk.errors import Broken, CannotSend, CannotWrite, MonolayerError, NotRunning, Refused

__all__ = [
    "AsyncJob",
    "AsyncKiosk",
    "Broken",
    "CannotSend",
    "CannotWrite",
    "Image",
    "Job",
    "Kiosk",
    "Monolayer",
    "MonolayerError",
    "NotInstalled",
    "NotRunning",
    "Refused",
]
