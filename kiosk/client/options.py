"""What a submission may ask for, checked before anything is sent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast, get_args

from pydantic import ValidationError

from kiosk.contract import DEADLINES, Format
from kiosk.errors import CannotSend
from streams.events import MOST_BUDGET, Options, ReasonClass
from streams.wording import complaint

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done with the images of a submission; its fields are called as in `NewUpload`."""

    model: str
    options: Options
    submission: str = ""
    deadline: float | None = None
    budget: float | None = None
    notify: str = ""


def checked_options(pixel_size: float | None, diameter: float | None, channel: int | None) -> Options:
    """What was asked for; raises `CannotSend` where it can't be meant."""
    if pixel_size is not None and diameter is not None:
        raise CannotSend("Give the pixel size or the diameter of an object, not both.")
    try:
        return Options(pixel_size=pixel_size, diameter=diameter, channel=channel)
    except ValidationError as error:
        raise CannotSend(f"The {complaint(error)}") from None


def checked_deadline(deadline: float | None) -> float | None:
    """The deadline in seconds; raises `CannotSend` where no job could have it."""
    low, high = DEADLINES
    if deadline is not None and not low <= deadline <= high:
        raise CannotSend(f"The deadline must be from {low / 60:g} minute to {high / 86400:g} days.")
    return deadline


def checked_budget(budget: float | None) -> float | None:
    """The budget in dollars; raises `CannotSend` where no job could have it."""
    if budget is not None and not 0 < budget <= MOST_BUDGET:
        raise CannotSend(f"The budget must be more than 0 dollars, and at most {MOST_BUDGET:,.0f}.")
    return budget


def checked_reason(reason: str | None) -> ReasonClass | None:
    """The reason class of that name; raises `CannotSend` where there is none."""
    if reason is None:
        return None
    for known in get_args(ReasonClass):
        if reason == known:
            return cast(ReasonClass, known)
    raise CannotSend(f"There is no reason class {reason!r}; there are {', '.join(get_args(ReasonClass))}.")


def checked_formats(named: Iterable[str]) -> list[Format]:
    """The formats of those names, several of which may stand in one with commas; raises `CannotSend`."""
    wanted = [name.strip() for names in named for name in names.split(",")]
    for name in wanted:
        if name not in get_args(Format):
            raise CannotSend(f"There is no format {name!r}; there are {', '.join(get_args(Format))}.")
    return cast(list[Format], wanted)


def seconds(duration: str) -> float:
    """The seconds in `90m`, `2h`, `1.5d` or `600`; raises `CannotSend`.

    >>> seconds("2h")
    7200.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smhd]?)", duration.strip())
    if not found:
        raise CannotSend(f"{duration!r} is no duration; write 90m, 2h or 1d.")
    return float(found[1]) * _UNITS[found[2] or "s"]
