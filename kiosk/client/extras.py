"""What only some users of the client have installed."""

from importlib import import_module
from typing import Any

from kiosk.errors import MonolayerError


class NotInstalled(MonolayerError):
    """Something that the client itself can do without."""


def needed(name: str) -> Any:
    """The module of that name; raises `NotInstalled`, with what to do."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        what = f"This needs {name.partition('.')[0]}: install the client's extra"
        raise NotInstalled(f"{what}, by pip install '.[client]' in Monolayer's folder.") from None
