"""The files of outcomes, read as a stranger reads them: is a label whole, and is it that of its image?

A label is an OME-TIFF. Its UUID is a digest of the packed strips of all planes, of the private tag that holds the
table, and of the shape; the table begins with a line of JSON that names image, model and the input's checksum.
"""

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID
from xml.etree import ElementTree

import imagecodecs

from loadgen.verify import records
from loadgen.verify.records import Entry, FailedEvent, JobRecord, RejectionRecord, Source, Unreadable
from loadgen.verify.tiff import Page, Tag, read_pages

ZSTD, MIN_IS_BLACK, CENTIMETRE = 50_000, 1, 3
"""How TIFF numbers the packing and the meaning of its pixels."""
MOST_TABLE = 1 << 30
"""Bytes of a table: a length out of a damaged file must not decide how much memory is taken."""
RESOLUTIONS = (Tag.X_RESOLUTION, Tag.Y_RESOLUTION)
"""In pixels per centimetre."""
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a label file says of itself."""

    facts: dict[str, str]
    claimed: UUID
    digest: UUID
    consistent: bool
    """Whether its description fits its pixels and its table."""


def label_problem(data: bytes, entry: Entry, job: JobRecord | None) -> str:
    """Why a label can't be that of an image; empty where it can. Begins with a verb."""
    try:
        file = read_label(data)
    except Unreadable as why:
        return f"can't be read: {why}"
    if file.claimed != file.digest:
        return f"is damaged: its digest is {file.digest} and should be {file.claimed}"
    if not file.consistent:
        return "is damaged: its description doesn't fit its pixels and its table"
    return _other(file.facts, _facts(entry, job))


def rejection_problem(data: bytes, entry: Entry, job: str, round_: int) -> str:
    """Why a rejection can't be that of an image; empty where it can. Begins with a verb."""
    try:
        story = records.read(RejectionRecord, data)
    except Unreadable as why:
        return f"can't be read: {why}"
    if (story.job, story.image, story.round) != (job, entry.image, round_):
        return f"is that of image {story.image} of job {story.job} in round {story.round}"
    if story.name not in ("", entry.name):
        return f"names {story.name!r} instead of {entry.name!r}"
    return _event_problem(story.event.first, entry)


def _event_problem(event: FailedEvent, entry: Entry) -> str:
    """What was worked on must be what the manifest lists: a healthy image may else be rejected for another's sake."""
    if event.source is None or (event.image, event.name, event.source) == (entry.image, entry.name, entry.source):
        return ""
    return f"is for image {event.image}, {_place(event.name, event.source)}, not {_place(entry.name, entry.source)}"


def _place(name: str, source: Source) -> str:
    crc = "no checksum" if source.crc is None else f"checksum {source.crc:08x}"
    return f"{name!r} at {source.offset} of {source.key} with etag {source.etag} and {crc}"


def read_label(data: bytes) -> LabelFile:
    """What a label file says of itself; raises `Unreadable`."""
    try:
        return _read(read_pages(data), data)
    except Unreadable:
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def _read(pages: list[Page], data: bytes) -> LabelFile:
    first = pages[0]
    table = first.held(Tag.TABLE)
    shape = (len(pages), first.number(Tag.HEIGHT), first.number(Tag.WIDTH))
    facts, pixel_size = _table(table)
    described = ElementTree.fromstring(first.held(Tag.DESCRIPTION).rstrip(b"\0"))
    plain = all(_plain(page, shape, first.number(Tag.BITS), pixel_size) for page in pages)
    return LabelFile(
        facts=facts,
        claimed=UUID(described.get("UUID", "")),
        digest=_digest(pages, data, table, shape),
        consistent=plain and _describes(described, shape, first.number(Tag.BITS), pixel_size, facts),
    )


def _digest(pages: list[Page], data: bytes, table: bytes, shape: tuple[int, ...]) -> UUID:
    whole = hashlib.sha256()
    for page in pages:
        for strip in page.strips(data):
            whole.update(strip)
    whole.update(table)
    whole.update(repr(shape).encode())
    return UUID(bytes=whole.digest()[:16], version=5)


def _table(table: bytes) -> tuple[dict[str, str], float | None]:
    size = int.from_bytes(table[:8], "little")
    if size > MOST_TABLE:
        raise Unreadable(f"its table claims {size} bytes")
    head = json.loads(bytes(imagecodecs.zstd_decode(table[8:], out=size)).partition(b"\n")[0])
    return dict(head["facts"]), head["pixel_size"]


def _plain(page: Page, shape: tuple[int, ...], bits: int, pixel_size: float | None) -> bool:
    """Whether the tags of a page are those of a label image."""
    _, height, width = shape
    rows, strips = page.number(Tag.ROWS), len(page.numbers(Tag.OFFSETS))
    return (
        (page.number(Tag.HEIGHT), page.number(Tag.WIDTH), page.number(Tag.BITS)) == (height, width, bits)
        and (page.number(Tag.COMPRESSION), page.number(Tag.PHOTOMETRIC)) == (ZSTD, MIN_IS_BLACK)
        and page.number(Tag.SAMPLES) == 1
        and 0 < rows <= height
        and strips == -(-height // rows)
        and (not pixel_size or _scaled(page, pixel_size))
    )


def _scaled(page: Page, pixel_size: float) -> bool:
    """Whether the tags say how many pixels of so many µm there are to the centimetre."""
    counted = all(abs(page.ratio(tag) * pixel_size - 1e4) < 10 for tag in RESOLUTIONS)
    return counted and page.number(Tag.RESOLUTION_UNIT) == CENTIMETRE


def _describes(
    described: ElementTree.Element, shape: tuple[int, ...], bits: int, pixel_size: float | None, facts: dict[str, str]
) -> bool:
    pixels = described.find(f"{OME}Image/{OME}Pixels")
    if pixels is None:
        return False
    sizes = tuple(int(pixels.get(name, "0")) for name in ("SizeZ", "SizeY", "SizeX"))
    told = [float(pixels.get(f"PhysicalSize{axis}", "0")) for axis in "XY"]
    named = {each.get("K"): each.text or "" for each in described.iter(f"{OME}M")}
    return (
        sizes == shape
        and bits in (16, 32)
        and pixels.get("Type") == f"uint{bits}"
        and told == [pixel_size or 0.0] * 2
        and not {pixels.get(f"PhysicalSize{axis}Unit", "µm") for axis in "XY"} - {"µm"}
        and (named == facts or not _printable(facts))
    )


def _printable(facts: dict[str, str]) -> bool:
    """Whether XML can hold the facts letter by letter."""
    return all(letter.isprintable() for pair in facts.items() for text in pair for letter in text)


def _facts(entry: Entry, job: JobRecord | None) -> dict[str, str]:
    crc = entry.source.crc
    own = {"image": entry.name, "source_crc": "" if crc is None else f"{crc:08x}"}
    return own if job is None else own | {"model": job.model, "model_digest": job.model_digest}


def _other(facts: dict[str, str], wanted: dict[str, str]) -> str:
    for name, value in wanted.items():
        if facts.get(name) != value:
            return f"is another's: its {name.replace('_', ' ')} is {facts.get(name)!r}, not {value!r}"
    return ""
