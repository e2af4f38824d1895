"""A label file is judged by its bytes alone."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.verify.files import label_problem, read_label, rejection_problem
from loadgen.verify.records import Entry, JobRecord, Source, Unreadable
from loadgen.verify.tiff import Tag
from storage.claims import Claims
from storage.labels import write_labels
from storage.memory import MemoryStore
from streams.events import Event, ImageFound, Rejection, TilePredicted, UploadReceived
from streams.events import Source as EventSource
from streams.failure import Rejected
from streams.rejection import reject
from tests.loadgen.stand import planned

ENTRY = Entry(image=0, name="a.tif", source=Source(key="uploads/u/a.zip", crc=0x0BADCAFE))
JOB = JobRecord(job="j", object="uploads/u/a.zip", model="nuclei", model_digest="d" * 64)
FACTS = {"image": "a.tif", "model": "nuclei", "model_version": "1", "model_digest": "d" * 64, "source_crc": "0badcafe"}


def label(shape: tuple[int, ...] = (2, 40, 30), pixel_size: float | None = 0.65, **facts: str) -> bytes:
    labels = np.random.default_rng(0).integers(0, 9, shape, np.int32)
    cells = {"label": np.arange(1, 9), "area": np.linspace(1, 9, 8)}
    return write_labels(labels, cells, pixel_size, FACTS | facts)


@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40)),
    st.none() | st.floats(0.001, 1000, exclude_min=True),
    st.text(max_size=12),
)
def test_what_the_pipeline_writes_is_sound(shape: tuple[int, ...], pixel_size: float | None, name: str) -> None:
    entry = ENTRY.model_copy(update={"name": name})
    assert label_problem(label(shape, pixel_size, image=name), entry, JOB) == ""


def test_a_label_of_many_strips_and_large_numbers_is_sound() -> None:
    labels = np.zeros((1, 1200, 1000), np.int32)
    labels[0, 700:] = 70_000
    assert label_problem(write_labels(labels, {}, None, FACTS), ENTRY, JOB) == ""


def pieces(data: bytes) -> list[range]:
    """Where the table lies, and where each strip does."""
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        table = tif.pages.first.tags[Tag.TABLE]
        strips = [pair for page in tif.pages for pair in zip(page.dataoffsets, page.databytecounts, strict=True)]
        return [range(start, start + count) for start, count in [(table.valueoffset, table.count), *strips]]


def test_a_flipped_bit_anywhere_in_pixels_or_table_is_seen() -> None:
    data = label()
    for at in (at for piece in pieces(data) for at in piece):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert label_problem(flipped, ENTRY, JOB), at


def test_another_unit_of_length_is_seen() -> None:
    data = label()
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        unit = tif.pages.first.tags[Tag.RESOLUTION_UNIT]
    assert unit.value == 3
    inches = data[: unit.valueoffset] + b"\2" + data[unit.valueoffset + 1 :]
    assert "description" in label_problem(inches, ENTRY, JOB)
    assert "description" in label_problem(data.replace('XUnit="µm"'.encode(), b'XUnit="nm "'), ENTRY, JOB)


def test_a_description_that_tells_another_story_is_seen() -> None:
    data = label()
    for said, other in ((b'SizeX="30"', b'SizeX="31"'), (b">nuclei<", b">nuklei<"), (b'"0.65"', b'"0.66"')):
        assert said in data
        assert "description" in label_problem(data.replace(said, other), ENTRY, JOB)


@pytest.mark.parametrize(
    ("fact", "value"), [("image", "b.tif"), ("model", "m"), ("model_digest", "e" * 64), ("source_crc", "00000000")]
)
def test_a_label_of_something_else_is_seen(fact: str, value: str) -> None:
    problem = label_problem(label(**{fact: value}), ENTRY, JOB)
    assert problem.startswith("is another's")
    assert value in problem


@pytest.mark.parametrize("data", [b"", b"junk", b"II*\0\x08\0\0\0\0\0", label()[:200], label()[:-40]])
def test_what_can_not_be_read_is_said_to_be_so(data: bytes) -> None:
    problem = label_problem(data, ENTRY, JOB)
    assert problem.startswith(("can't be read", "is damaged"))


def test_a_table_that_claims_to_be_huge_takes_no_memory() -> None:
    data = bytearray(label())
    start = pieces(bytes(data))[0].start
    data[start : start + 8] = b"\xff" * 8
    with pytest.raises(Unreadable, match="claims"):
        read_label(bytes(data))


FOUND = ImageFound(
    job="j",
    image=0,
    name="a.tif",
    source=EventSource(key="uploads/u/a.zip", etag="e", offset=7, span=99, crc=0x0BADCAFE),
    model="nuclei",
    model_digest="d" * 64,
)
LISTED = Entry(image=0, name="a.tif", source=Source(key="uploads/u/a.zip", etag="e", offset=7, crc=0x0BADCAFE))


def predicted(found: ImageFound) -> TilePredicted:
    return TilePredicted(job=found.job, image=0, planned=planned(found), maps="m")


def rejection(event: Event) -> bytes:
    store = MemoryStore()
    claims = Claims(store)
    [key] = reject(event, Rejected("bad_input", "a.tif is no image"), claims).claimed
    claims.store(key)
    return store.get(key)


@pytest.mark.parametrize("event", [FOUND, planned(FOUND), predicted(FOUND)], ids=lambda event: event.topic)
def test_a_rejection_is_sound_whichever_event_of_its_image_it_keeps(event: Event) -> None:
    assert rejection_problem(rejection(event), LISTED, "j", 0) == ""


@pytest.mark.parametrize("make", [planned, predicted])
def test_a_rejection_on_a_tile_of_another_image_is_seen(make: Callable[[ImageFound], Event]) -> None:
    other = FOUND.model_copy(update={"source": FOUND.source.model_copy(update={"crc": 1})})
    problem = rejection_problem(rejection(make(other)), LISTED, "j", 0)
    assert problem.startswith("is for image 0, 'a.tif' at 7 of uploads/u/a.zip")
    assert "00000001" in problem


def test_a_rejection_of_an_upload_names_no_place_to_compare() -> None:
    upload = UploadReceived(job="abc", object="uploads/u/a.zip", name="a.tif")
    assert rejection_problem(rejection(upload), LISTED, "abc", 0) == ""


def test_a_rejection_that_kept_no_event_is_sound() -> None:
    old = Rejection(job="j", image=0, name="a.tif", reason="bad_input", message="a.tif is no image")
    assert rejection_problem(old.model_dump_json().encode(), LISTED, "j", 0) == ""
