"""What a run is: everything that decides which images are sent when. Kept in the report's folder as JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.wording import complaint, sentence

MOST_SIDE = 8192
CELLS_PER_MEGAPIXEL = 300
"""Nuclei of 24 px that fill a third of the field: a dense culture."""


class BadPlan(Exception):
    """No such run can be made; the message is a sentence."""


class Plan(BaseModel):
    """So many images in zips, one zip every so many seconds, whatever becomes of the ones before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: Annotated[int, Field(ge=1, le=10_000_000)]
    """Of each repeat."""
    zip_size: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Images in a zip; the last one may have fewer."""
    delay: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 5.0
    """Seconds from one zip to the next."""
    image_size: Annotated[int, Field(ge=48, le=MOST_SIDE)] = 1024
    """Height and width in px."""
    model: str = "nuclei"
    diameter: Annotated[float, Field(ge=2, le=2000, allow_inf_nan=False)] | None = None
    """Of a typical nucleus, in px; none: the model's own, which is that of those made up."""
    tenants: Annotated[int, Field(ge=1)] = 1
    """Whose zips come in turn."""
    warmup: Annotated[int, Field(ge=0, le=1000)] = 1
    """Zips that are sent, and have ended, before the first repeat; they are left out of the figures."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    seed: Annotated[int, Field(ge=0, le=2**31)] = 1
    """Fixes every pixel that is made up."""
    folder: str = ""
    """Of real images that are sent instead; empty: made-up ones."""

    @classmethod
    def checked(cls, **said: object) -> Self:
        """A plan, or `BadPlan` with what is wrong with it."""
        try:
            return cls.model_validate(said)
        except ValidationError as error:
            raise BadPlan(sentence(complaint(error))) from None

    @property
    def cells(self) -> int:
        """Nuclei of each made-up image."""
        return max(1, round(CELLS_PER_MEGAPIXEL * self.image_size**2 / 1024**2))


@dataclass(frozen=True, slots=True)
class Due:
    """A zip, and when it is to be sent."""

    number: int
    """In the whole run, from 0."""
    repeat: int
    """From 0; -1 before the first, to warm up."""
    after: float
    """Seconds from the begin of its repeat."""
    first: int
    """The number of its first image in the whole run: no two images of a run are the same."""
    images: int
    tenant: int

    @property
    def name(self) -> str:
        """Of its file."""
        return f"load_{self.number:06d}.zip"


def images_in(folder: Path) -> list[Path]:
    """The files that a run of a folder sends, in the order of their names; raises `BadPlan` where there are none."""
    from kiosk.client.packing import pack
    from kiosk.errors import CannotSend

    try:
        return [file for parcel in pack([folder]) for file, _ in parcel.files]
    except CannotSend as why:
        raise BadPlan(str(why)) from None
