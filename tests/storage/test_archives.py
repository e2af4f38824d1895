import io
import zipfile
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.hostile import bombs, zips
from loadgen.hostile.sound import archive, png, tiff
from storage.archives import Member, is_listed_soon, is_zip, list_members, ranges
from storage.memory import MemoryStore
from storage.objects import Changed, Stat
from storage.sources import read_source
from storage.unreadable import Unreadable

GOOD = tiff()


@dataclass
class Place:
    """What an event says of an image's file."""

    key: str
    etag: str
    offset: int = 0
    span: int | None = None
    packed: int | None = None
    size: int = 0
    method: int = 0
    crc: int | None = None


def placed(store: MemoryStore, data: bytes, key: str = "uploads/1/plate.zip") -> Stat:
    store.put(key, data)
    return store.stat(key)


def members(store: MemoryStore, at: Stat) -> list[Member]:
    return list(list_members(ranges(store, at.key, at.etag, at.size), at.size, "plate.zip"))


def read(store: MemoryStore, at: Stat, member: Member) -> bytes:
    place = Place(at.key, at.etag, member.offset, member.span, member.packed, member.size, member.method, member.crc)
    return read_source(store, place, member.name)


def test_whether_it_is_an_archive_is_told_by_content() -> None:
    assert is_zip(archive({"a": b""}))
    assert is_zip(archive({}))
    assert not any(is_zip(data) for data in (tiff(), png(), b"", b"PK", b"text"))


def test_a_member_is_read_with_one_ranged_read_and_a_small_directory_too() -> None:
    store = CountingStore()
    at = placed(store, archive({f"{number}.tif": GOOD for number in range(50)}))
    found = members(store, at)
    assert len(store.asked) == 1
    store.asked.clear()
    assert read(store, at, found[7]) == GOOD
    assert store.asked == [(found[7].offset, found[7].span)]


def test_names_are_read_as_windows_mac_and_old_programs_write_them() -> None:
    data = archive({"\u00e4\u00e4.tif": GOOD})
    assert members_of(data)[0].name == "ää.tif"
    flag = data.replace("ää.tif".encode(), b"\x84\x84.tif__")  # code page 437, not flagged as UTF-8
    assert members_of(_unflagged(flag))[0].name == "ää.tif__"
    assert members_of(_unflagged(data))[0].name == "ää.tif"
    assert members_of(archive({"a\\b\\c.tif": GOOD}))[0].name == "a/b/c.tif"


def members_of(data: bytes) -> list[Member]:
    store = MemoryStore()
    return members(store, placed(store, data))


def _unflagged(data: bytes) -> bytes:
    copy = bytearray(data)
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        copy[copy.index(mark) + at + 1] &= ~8 & 0xFF
    return bytes(copy)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text("abc/.äß+# %", min_size=1, max_size=9).filter(lambda n: n[0] not in "/. "), st.binary(max_size=300)
    ),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.booleans(),
    st.binary(max_size=40),
)
def test_members_are_those_that_the_standard_library_finds(
    files: dict[str, bytes], method: int, streamed: bool, comment: bytes
) -> None:
    file: io.BytesIO = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        packed.comment = comment
        for name, data in files.items():
            packed.writestr(name, data)
    store = MemoryStore()
    at = placed(store, file.getvalue())
    try:
        found = {member.name: member for member in members(store, at)}
    except Unreadable as error:
        assert "without images" in str(error)
        found = {}
    for name, member in found.items():
        if not member.problem:
            assert read(store, at, member) == files[name]
    hidden = {
        name for name in files if name.endswith("/") or any(p.startswith(".") and p.strip(".") for p in name.split("/"))
    }
    assert found.keys() == files.keys() - hidden


class Unseekable(io.BytesIO):
    """Makes `zipfile` write sizes behind the data, as streaming clients do."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def test_an_archive_behind_something_else_is_read() -> None:
    store = MemoryStore()
    at = placed(store, b"#!unpack me\n" + archive({"a.tif": GOOD}))
    assert read(store, at, members(store, at)[0]) == GOOD


def test_large_archives_are_read_through_their_64_bit_fields() -> None:
    store = SparseStore(5 << 30)
    at = store.stat("big.zip")
    first, second = list_members(ranges(store, at.key, at.etag, at.size), at.size, "plate.zip")
    assert (first.offset, second.offset, second.size) == (0, 5 << 30, len(GOOD))
    assert first.reason == "too_large"
    place = Place(at.key, at.etag, second.offset, second.span, second.packed, second.size, second.method, second.crc)
    assert read_source(store, place) == GOOD
    assert store.most < 70_000


def test_a_replaced_archive_says_changed() -> None:
    store = MemoryStore()
    at = placed(store, archive({"a.tif": GOOD}))
    member = members(store, at)[0]
    store.put(at.key, archive({"b.tif": GOOD}))
    with pytest.raises(Changed):
        list_members(ranges(store, at.key, at.etag, at.size), at.size, "plate.zip")
    with pytest.raises(Changed):
        read(store, at, member)


def test_a_whole_object_is_read_as_it_is() -> None:
    store = MemoryStore()
    at = placed(store, GOOD, "inbox/nuclei/a.tif")
    assert read_source(store, Place(at.key, at.etag, size=at.size)) == GOOD
    with pytest.raises(Unreadable, match="has 24 bytes"):
        read_source(store, Place("inbox/short", store.put("inbox/short", b"x" * 24), size=25))


def test_a_member_packed_into_far_more_than_it_has_is_not_read() -> None:
    store = CountingStore()
    data = zips.write([zips.store("a.tif", bytes(1_000_000), size=10), zips.store("b.tif", GOOD)])
    at = placed(store, data)
    packed, _ = members(store, at)
    assert "packed into 1000000 bytes" in packed.problem
    store.asked.clear()
    with pytest.raises(Unreadable, match="packed into 1000000 bytes"):
        read(store, at, packed)
    assert not store.asked


def test_a_very_long_name_is_cut_before_it_fills_the_manifest() -> None:
    (long,) = members_of(zips.write([zips.store("x" * 60_000, GOOD)]))
    assert len(long.name) <= 1000
    assert long.problem


def _extents(data: bytes) -> tuple[list[tuple[int, int]], list[Member]]:
    found = members_of(data)
    return [(each.offset, each.offset + 30 + len(each.name) + each.packed) for each in found], found


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_of_members_that_overlap_no_two_are_read_and_those_that_do_not_all_are(places: list[tuple[int, int]]) -> None:
    whole = zips.store("z.tif", bytes(400))  # where all others claim to lie
    lines = [zips.Part(b"a.tif", b"", 100, packed * 5, 1, offset=offset * 5) for offset, packed in places]
    data = bombs.without_locals([whole, *lines], 1)
    extents, found = _extents(data)
    read = [extent for extent, member in zip(extents, found, strict=True) if member.span]
    assert all(a[1] <= b[0] or b[1] <= a[0] for number, a in enumerate(read) for b in read[:number])
    limit = data.index(b"PK\1\2")
    for number, (start, end) in enumerate(extents):
        others = [extent for other, extent in enumerate(extents) if other != number]
        alone = all(end <= a or b <= start for a, b in others)
        assert bool(found[number].span) or not alone or end > limit


def test_more_than_600_mb_are_refused_without_reading() -> None:
    for span in (None, 10):
        with pytest.raises(Unreadable) as caught:
            read_source(MemoryStore(), Place("nowhere", "", span=span, packed=600_000_001, size=600_000_001))
        assert caught.value.reason == "too_large"


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_archive_never_raises_anything_else_and_never_gives_other_bytes(data: st.DataObject) -> None:
    whole = bytearray(archive({"good.tif": GOOD[:200], "b.tif": GOOD[:300], "c.tif": GOOD[:50]}, zipfile.ZIP_DEFLATED))
    start = whole.index(b"PK\1\2") if data.draw(st.booleans()) else 0
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(start, len(whole) - 1))] = data.draw(st.integers(0, 255))
    store = MemoryStore()
    at = placed(store, bytes(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole))
    try:
        for member in list_members(ranges(store, at.key, at.etag, at.size), at.size, "plate.zip"):
            if not member.problem:
                assert GOOD.startswith(read(store, at, member))
    except Unreadable:
        return


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int | None]] = []

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        self.asked.append((start, length))
        return super().get(key, start, length, etag)


class SparseStore(MemoryStore):
    """An archive of 5 GB of which only the end exists: a huge first member, then a good one."""

    def __init__(self, huge: int) -> None:
        super().__init__()
        file = _Shifted(huge)
        with zipfile.ZipFile(file, "w", allowZip64=True) as packed:
            packed.writestr("second.tif", GOOD)
            first = zipfile.ZipInfo("first.tif")
            first.file_size = first.compress_size = huge - 100
            first.header_offset = first.CRC = 0
            packed.filelist.insert(0, first)
        self._end, self._huge, self.most = file.getvalue(), huge, 0

    def stat(self, key: str) -> Stat:
        return Stat(key, self._huge + len(self._end), "etag", 0.0)

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        assert start >= self._huge - 70_000
        assert length is not None
        self.most = max(self.most, length)
        lead = max(0, self._huge - start)
        return b"\0" * min(lead, length) + self._end[start + lead - self._huge : max(0, start + length - self._huge)]


class _Shifted(io.BytesIO):
    """A file that believes to begin far in."""

    def __init__(self, shift: int) -> None:
        super().__init__()
        self._shift = shift

    def tell(self) -> int:
        return super().tell() + self._shift

    def seek(self, offset: int, whence: int = 0) -> int:
        return super().seek(offset - self._shift if whence == 0 else offset, whence) + self._shift


@pytest.mark.parametrize(
    ("data", "soon"),
    [
        (archive({"a": GOOD, "b": GOOD}), True),
        (archive({f"{number:0100d}": b"x" for number in range(400)}), True),
        (archive({f"{number:0100d}": b"x" for number in range(500)}), False),
        (GOOD, True),
        (b"", True),
        (archive({"a": GOOD})[:-30], True),
    ],
)
def test_an_archive_that_is_listed_soon_is_told_by_its_end(data: bytes, soon: bool) -> None:
    store = MemoryStore()
    at = placed(store, data)
    assert is_listed_soon(ranges(store, at.key, at.etag, at.size), at.size, "plate.zip") is soon
