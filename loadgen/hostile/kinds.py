"""What a kind of hostile file is: how to make one, and how each image in it has to end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

End = Literal["labelled", "bad_input", "too_large", "unsupported"]
"""Labelled, or rejected for this reason."""
Ends = tuple[End, ...]
"""The ends that are right; more than one where damage may or may not touch what matters."""

LABELLED: Ends = ("labelled",)
BAD: Ends = ("bad_input",)
LARGE: Ends = ("too_large",)
OTHER: Ends = ("unsupported",)
UNNOTICED: Ends = ("labelled", "bad_input")
"""Damage that nothing in the file gives away, unless by chance."""
ANY: Ends = ("labelled", "bad_input", "too_large", "unsupported")
"""Damage to what says which kind of file it is."""
WHOLE = ""
"""Stands for the upload itself: an image, or an archive that is refused as a whole."""
EACH = "*"
"""Stands for every member of an archive that is not named."""
GOOD = "good.tif"
"""The member that is a sound image; whatever lies beside it, it has to be labelled."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of being hostile.

    Attributes
    ----------
    name
        In snake case, unlike any other's.
    what
        A sentence.
    suffix
        Of the file's name, with its dot.
    make
        The file's bytes from a seed; the same seed gives the same bytes.
    ends
        How each image has to end, by its name in the archive. Members that are not named, where `EACH` is not, have to
        be passed over without a word.
    """

    name: str
    what: str
    suffix: str
    make: Callable[[int], bytes]
    ends: Mapping[str, Ends]

    @property
    def file(self) -> str:
        """A name for the file."""
        return self.name + self.suffix

    @property
    def is_image(self) -> bool:
        """Whether the upload is one image, not an archive of several."""
        return WHOLE in self.ends and self.suffix != ".zip"


def image(name: str, what: str, suffix: str, make: Callable[[int], bytes], ends: Ends) -> Kind:
    """A kind of single image."""
    return Kind(name, what, suffix, make, {WHOLE: ends})


def refused(name: str, what: str, make: Callable[[int], bytes], ends: Ends = BAD) -> Kind:
    """A kind of archive that is refused as a whole."""
    return Kind(name, what, ".zip", make, {WHOLE: ends})


def mixed(name: str, what: str, make: Callable[[int], bytes], others: Mapping[str, Ends] | None = None) -> Kind:
    """A kind of archive in which a sound image lies beside others."""
    return Kind(name, what, ".zip", make, {GOOD: LABELLED, **(others or {})})
