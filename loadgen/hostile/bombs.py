"""Zip archives that are small until somebody unpacks them."""

import struct
import zipfile
from collections.abc import Sequence

from loadgen.hostile import zips
from loadgen.hostile.beside import LOST, beside
from loadgen.hostile.kinds import BAD, EACH, GOOD, OTHER, Kind, mixed
from loadgen.hostile.sound import archive, pixels, tiff
from loadgen.hostile.zips import FULL32, Part


def _quoted_overlap(seed: int, count: int = 250) -> bytes:
    """Each member's stream begins with stored blocks that hold the headers of all that follow (a 'better zip bomb')."""
    kernel, bodies, names = zips.zeros(20), [], [b"%03d.tif" % n for n in range(count)]
    for name in reversed(names[1:]):
        following = Part(name, b"", size=FULL32 - 1, packed=1, crc=0, method=8)
        quoted = zips.write([following]).partition(b"PK\1\2")[0]
        bodies.append(b"\0" + struct.pack("<HH", len(quoted), len(quoted) ^ 0xFFFF) + quoted)
    good, step = zips.store(GOOD, tiff(pixels(seed=seed))), 30 + 7 + 5
    first = len(zips.write([good]).partition(b"PK\1\2")[0])
    body = b"".join(bodies) + kernel
    parts = [good, Part(names[0], body, size=(20 << 20) + 37 * (count - 1), packed=len(body), crc=0, method=8)]
    for number, name in enumerate(names[1:], 1):
        size = (20 << 20) + 37 * (count - 1 - number)
        left = len(body) - 42 * number
        parts.append(Part(name, b"", size=size, packed=left, crc=0, method=8, offset=first + step * number))
    return without_locals(parts, 2)


def without_locals(parts: Sequence[Part], real: int) -> bytes:
    """Only the first members have headers and bytes of their own; the rest are lines of the directory."""
    whole, lines = zips.write(parts[:real]), zips.write(parts[real:])
    begin = whole.index(b"PK\1\2")
    directory = whole[begin:-22] + lines[lines.index(b"PK\1\2") : -22]
    fixed = struct.pack("<4HIIH", 0, 0, len(parts), len(parts), len(directory), begin, 0)
    return whole[:begin] + directory + b"PK\5\6" + fixed


def _same_place(seed: int) -> bytes:
    """A thousand lines of the directory for one member."""
    good, real = zips.store(GOOD, tiff(pixels(seed=seed))), zips.pack("0.tif", bytes(1 << 20))
    at = len(zips.write([good]).partition(b"PK\1\2")[0])
    lines = [Part(b"%d.tif" % n, b"", real.size, len(real.body), real.crc, 8, offset=at) for n in range(1, 1000)]
    return without_locals([good, real, *lines], 2)


def _nested(seed: int) -> bytes:
    inner = archive({"a.tif": tiff(pixels(seed=seed))})
    for level in range(6):
        inner = archive({f"{level}{copy}.zip": inner for copy in "ab"}, zipfile.ZIP_DEFLATED)
    return archive({GOOD: tiff(pixels(seed=seed)), "inner.zip": inner, "renamed.tif": inner})


def _crowd(seed: int, count: int = 100_000) -> bytes:
    """Empty members by the thousand, made faster than one by one."""
    good = zips.store(GOOD, tiff(pixels(seed=seed)))
    plain = zips.write([good])
    begin = plain.index(b"PK\1\2")
    local, central = bytearray(plain[:begin]), bytearray(plain[begin:-22])
    for number in range(count):
        name = b"plate_01/field_%06d.tif" % number
        common = struct.pack("<5H3I2H", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0)
        central += b"PK\1\2\x14\0" + common + struct.pack("<3H2I", 0, 0, 0, 0, len(local)) + name
        local += b"PK\3\4" + common + name
    record = zips.end64(count + 1, len(central), len(local), len(local) + len(central))
    full = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, FULL32, FULL32, 0)
    return bytes(local + central) + record + full


_BOMB = Part(b"bad.tif", zips.zeros(1000), 1000 << 20, crc=0, method=8)
_LYING_BOMB = Part(b"bad.tif", zips.zeros(500), 10_000, crc=0, method=8)
_HONEST_BOMB = Part(b"bad.tif", zips.zeros(90), 90 << 20, crc=0, method=8)

KINDS: tuple[Kind, ...] = (
    mixed("zip_bomb_by_ratio", "A gigabyte of zeros in a megabyte, as the directory says.", beside(_BOMB), LOST),
    mixed("zip_bomb_that_lies", "Half a gigabyte of zeros that is said to be 10,000 bytes.", beside(_LYING_BOMB), LOST),
    mixed("zip_bomb_below_the_limit", "90 MB of zeros, which is allowed and no image.", beside(_HONEST_BOMB), LOST),
    mixed("zip_bomb_by_overlap", "250 members that share one kernel of zeros.", _quoted_overlap, {EACH: BAD}),
    mixed("zip_bomb_of_one_place", "1,000 lines of the directory for one member.", _same_place, {EACH: BAD}),
    mixed(
        "zip_bomb_by_nesting",
        "Archives in archives, six deep, one of them named as an image.",
        _nested,
        {"inner.zip": OTHER, "renamed.tif": OTHER},
    ),
    mixed("zip_of_100000_empty_members", "100,000 members without a byte.", _crowd, {EACH: BAD}),
)
