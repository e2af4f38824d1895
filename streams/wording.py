"""How a mistake in a submission is told: pydantic's findings as sentences that name the value."""

from functools import cache

from pydantic import ValidationError

from streams.events import Options

_UNITS = {"pixel_size": " µm", "diameter": " pixels", "channel": ""}


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text.strip() or "something went wrong"
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def complaint(error: ValidationError) -> str:
    """What is wrong with a value, as one sentence that names it."""
    first = error.errors()[0]
    above = ("options",) if error.title == Options.__name__ else ()
    return describe((*above, *first["loc"]), first["msg"], first.get("input"))


def describe(place: tuple[int | str, ...], message: str, value: object) -> str:
    """One of pydantic's findings as a sentence."""
    parts = [str(part).replace("_", " ") for part in place if part not in ("body", "query", "path", "options")]
    name = " ".join(parts) or "the request"
    if message == "Field required":
        return f"{name} is missing."
    if message.startswith("Extra inputs"):
        return _unknown(place, name)
    if place[-1:] and (limits := _limits().get(str(place[-1]))) and message.startswith("Input should be"):
        return f"{name} must be {limits}."
    told = f"{value!r}" if isinstance(value, str | int | float) and len(str(value)) < 100 else "not acceptable"
    return f"{name} is {told}: {message[0].lower()}{message[1:]}."


def _unknown(place: tuple[int | str, ...], name: str) -> str:
    if "options" in place[:-1]:
        return f"there is no option {place[-1]!r}; there are {', '.join(Options.model_fields)}."
    return f"there is nothing called {name} to be given."


@cache
def _limits() -> dict[str, str]:
    """What each option may be, in words, by its name."""
    schema = Options.model_json_schema()["properties"]
    return {name: _range(schema[name]["anyOf"][0]) + unit for name, unit in _UNITS.items()}


def _range(number: dict[str, float]) -> str:
    if "minimum" in number:
        return f"from {number['minimum']:g} to {number['maximum']:g}"
    return f"between {number['exclusiveMinimum']:g} and {number['exclusiveMaximum']:g}"
