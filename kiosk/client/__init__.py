"""Monolayer from Python: `from kiosk.client import Monolayer`."""

from kiosk.client.monolayer import Monolayer
from kiosk.errors import Broken, CannotSend, MonolayerError, NotRunning, Refused

__all__ = ["Broken", "CannotSend", "Monolayer", "MonolayerError", "NotRunning", "Refused"]
