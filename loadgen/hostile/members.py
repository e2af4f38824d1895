"""Zip archives in which hostile members lie beside a sound image, which has to be labelled."""

import struct

from loadgen.hostile import zips
from loadgen.hostile.beside import Make, bad, beside, named
from loadgen.hostile.kinds import BAD, EACH, GOOD, LABELLED, Kind, mixed
from loadgen.hostile.sound import jpeg, pixels, png, tiff
from loadgen.hostile.zips import FULL32, SIZES_FOLLOW, End


def _streamed(mark: bytes) -> Make:
    """Sizes behind the bytes, with or without the mark before them."""
    part = zips.pack("other.tif", tiff(), flags=SIZES_FOLLOW, local={"crc": 0, "packed": 0, "size": 0})
    part.behind = mark + struct.pack("<III", part.crc or 0, len(part.body), part.size or 0)
    return beside(part)


def _fake_end(seed: int) -> bytes:
    """The archive's comment looks like the end of an empty archive, but doesn't reach to the end of the file."""
    fake = b"PK\5\6" + struct.pack("<4HIIH", 0, 0, 0, 0, 0, 0, 0) + b" (an end that is none)"
    return beside(bad(), end=End(comment=fake))(seed)


def _all_wide(seed: int) -> bytes:
    """Every number of a small archive stands in its 64-bit field."""
    body = tiff(pixels(seed=seed))
    part = zips.store(GOOD, body, size=FULL32, packed=FULL32, extra=zips.wide(len(body), len(body)))
    plain = zips.write([part])
    begin = plain.index(b"PK\1\2")
    length = len(plain) - 22 - begin
    record = zips.end64(1, length, begin, begin + length)
    return zips.write([part], End(zips.FULL16, FULL32, FULL32, between=record))


_NAMES = {
    "climbing": ("A name that climbs out of the archive.", "a/../../bad.tif"),
    "climbing_backwards": ("A name that climbs out with backslashes.", "..\\..\\bad.tif"),
    "absolute": ("An absolute name.", "/etc/bad.tif"),
    "share": ("The name of a Windows share.", "\\\\server\\share\\bad.tif"),
    "drive": ("A name with a drive letter.", "C:\\bad.tif"),
    "with_nul": ("A name with a NUL in it.", "good\0.tif"),
    "with_newline": ("A name with a line break and a terminal's escape code.", "bad\n\x1b[31m.tif"),
    "with_c1": ("A name with a terminal's 8-bit escape code.", "bad\x9b31m.tif"),
    "empty": ("A name without a character.", ""),
}
KINDS: tuple[Kind, ...] = (
    *(
        mixed(f"zip_name_{name}", what, named(said), {said.replace("\\", "/"): BAD})
        for name, (what, said) in _NAMES.items()
    ),
    mixed("zip_name_very_long", "A name of 65,535 bytes.", named(b"x" * 65_535), {EACH: BAD}),
    mixed(
        "zip_names_twice",
        "Two members of one name, and one more in other letters.",
        named(GOOD, "GOOD.TIF"),
        {"GOOD.TIF": LABELLED},
    ),
    mixed(
        "zip_names_without_encoding",
        "Names in no encoding there is.",
        named(b"\xff\xfe\x84.tif", b"\xc3\x28.tif"),
        {EACH: LABELLED},
    ),
    mixed(
        "zip_names_that_point_nowhere",
        "Names that begin with a dot and a slash.",
        named("./other.tif", "a/./b.tif"),
        {EACH: LABELLED},
    ),
    mixed(
        "zip_streamed", "Sizes stand behind the bytes, with a mark.", _streamed(b"PK\7\x08"), {"other.tif": LABELLED}
    ),
    mixed(
        "zip_streamed_without_mark",
        "Sizes stand behind the bytes, without a mark.",
        _streamed(b""),
        {"other.tif": LABELLED},
    ),
    mixed(
        "zip_other_name_inside",
        "A member's header has another name than the directory.",
        beside(bad(local={"name": b"other.txt"})),
        {"bad.tif": LABELLED},
    ),
    mixed(
        "zip_gaps",
        "Noise between the members.",
        beside(bad(behind=b"\xaa" * 500), zips.store("other.tif", tiff())),
        {EACH: LABELLED},
    ),
    mixed("zip_all_wide", "A small archive with every number in its 64-bit field.", _all_wide),
    mixed(
        "zip_with_a_fake_end",
        "A comment that looks like the end of an empty archive.",
        _fake_end,
        {"bad.tif": LABELLED},
    ),
    mixed("zip_with_a_long_comment", "A comment of 65,535 bytes.", beside(end=End(comment=b"PK" * 32_767 + b"!"))),
    mixed("zip_with_junk_behind", "Noise behind the end.", lambda seed: beside()(seed) + b"\xee" * 300),
    mixed(
        "zip_from_a_mac",
        "Folders and what a Mac leaves behind, to be passed over.",
        beside(zips.store("a/", b""), zips.store("__MACOSX/._good.tif", b"x"), zips.store("a/.DS_Store", b"x")),
    ),
    mixed(
        "zip_from_windows",
        "Backslashes and what Windows leaves behind.",
        beside(zips.store("a\\b.tif", tiff()), zips.store("a\\Thumbs.db", b"x"), zips.store("Desktop.ini", b"x")),
        {"a/b.tif": LABELLED},
    ),
    mixed(
        "zip_of_every_format",
        "Sound images of every format, deflated.",
        beside(zips.pack("b.png", png()), zips.pack("c.jpg", jpeg())),
        {EACH: LABELLED},
    ),
    mixed(
        "zip_of_odd_names",
        "Names of other alphabets, and a hidden one.",
        named("Präparat 1/ä#+%.tif", "..hidden.tif", "細胞.tif"),
        {"Präparat 1/ä#+%.tif": LABELLED, "細胞.tif": LABELLED},
    ),
)
