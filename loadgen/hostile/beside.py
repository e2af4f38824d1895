"""Archives of a sound image and something beside it."""

from collections.abc import Callable

from loadgen.hostile import zips
from loadgen.hostile.kinds import BAD, GOOD, Ends
from loadgen.hostile.sound import pixels, tiff
from loadgen.hostile.zips import End, Part

Make = Callable[[int], bytes]
LOST: dict[str, Ends] = {"bad.tif": BAD}


def beside(*parts: Part, end: End | None = None) -> Make:
    """The parts, and a sound image before them."""
    return lambda seed: zips.write([zips.store(GOOD, tiff(pixels(seed=seed))), *parts], end)


def bad(**fields: object) -> Part:
    """A sound image under the name of a bad one, of which something is said that is not so."""
    return zips.store("bad.tif", tiff(), **fields)


def named(*names: str | bytes) -> Make:
    """Sound images of these names."""
    return beside(*(zips.store(name, tiff()) for name in names))
