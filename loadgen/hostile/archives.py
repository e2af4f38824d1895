"""Zip archives that are broken, or can't be taken at all: each is refused as a whole."""

import struct
from collections.abc import Callable

from loadgen.hostile import zips
from loadgen.hostile.kinds import Kind, refused
from loadgen.hostile.sound import archive, changed, noise, pixels, tiff
from loadgen.hostile.zips import End, Part

_EOCD = 22


def _two(seed: int) -> bytes:
    return archive({"good.tif": tiff(pixels(seed=seed)), "other.tif": tiff(pixels(seed=seed + 1))})


def _cut(marks: int, beyond: int, mark: bytes) -> Callable[[int], bytes]:
    """Cut behind the beginning of a structure, found by its mark."""

    def make(seed: int) -> bytes:
        data, at = _two(seed), -1
        for _ in range(marks):
            at = data.index(mark, at + 1)
        return data[: at + beyond]

    return make


def _ended(**fields: int) -> Callable[[int], bytes]:
    return lambda seed: zips.write([zips.store("good.tif", tiff(pixels(seed=seed)))], End(**fields))  # type: ignore[arg-type]


def _ended_wide(
    count: int = 1, length: int | None = None, start: int | None = None, disks: int = 1
) -> Callable[[int], bytes]:
    """A 64-bit end that lies where it is given a number."""

    def make(seed: int) -> bytes:
        part = zips.store("good.tif", tiff(pixels(seed=seed)))
        plain = zips.write([part])
        begin = plain.index(b"PK\1\2")
        there = len(plain) - _EOCD - begin
        record = zips.end64(
            count, there if length is None else length, begin if start is None else start, begin + there, disks
        )
        return zips.write([part], End(zips.FULL16, zips.FULL32, zips.FULL32, between=record))

    return make


def _fat32(seed: int) -> bytes:
    """Claim a directory 4 GB further on than it is, as programs without ZIP64 did."""
    data = bytearray(_two(seed))
    at = data.rindex(b"PK\5\6")
    struct.pack_into("<I", data, at + 12, 0xFFFFFF00)
    return bytes(data)


def _entry_beyond(seed: int) -> bytes:
    """The last name reaches far beyond the directory."""

    def lengthen(data: bytearray) -> None:
        struct.pack_into("<H", data, data.rindex(b"PK\1\2") + 28, 60_000)

    return changed(_two(seed), lengthen)


def _behind_a_program(seed: int) -> bytes:
    return b"MZ" + noise(seed, 5000) + _two(seed)


def _bomb_of_names(seed: int) -> bytes:
    """Thousands of entries that are nothing but name."""
    return zips.write([Part(b".%05d" % n + b"x" * 60_000, b"") for n in range(20)])


KINDS: tuple[Kind, ...] = (
    refused("zip_of_text", "A text whose name ends in .zip.", lambda seed: b"This is no archive.\n" * (20 + seed % 9)),
    refused("zip_head_only", "Nothing but the first four bytes of an archive.", lambda seed: b"PK\3\4"),
    refused("zip_cut_in_a_header", "Cut within the first member's header.", _cut(1, 17, b"PK\3\4")),
    refused("zip_cut_in_a_member", "Cut within the second member's bytes.", _cut(2, 1000, b"PK\3\4")),
    refused("zip_cut_in_the_directory", "Cut within the second line of the directory.", _cut(2, 20, b"PK\1\2")),
    refused("zip_cut_in_the_end", "Cut within the last structure, the end of the directory.", _cut(1, 12, b"PK\5\6")),
    refused("zip_without_members", "A sound archive of nothing.", lambda seed: archive({})),
    refused("zip_of_folders", "Nothing but folders.", lambda seed: archive({"a/": b"", "a/b/": b"", "c/": b""})),
    refused(
        "zip_of_litter",
        "Nothing but what a Mac leaves behind.",
        lambda seed: archive({"a/": b"", "__MACOSX/._a.tif": b"x", ".DS_Store": b"x"}),
    ),
    refused("zip_of_hidden_names", "Entries that are nothing but 60,000 bytes of hidden name.", _bomb_of_names),
    refused("zip_of_several_volumes", "The last of several volumes.", _ended(disk=1)),
    refused("zip_with_too_few_lines", "The end promises fewer files than the directory lists.", _ended(count=0)),
    refused("zip_with_too_many_lines", "The end promises more files than the directory lists.", _ended(count=7)),
    refused("zip_directory_too_long", "The directory is said to be longer than the file.", _ended(length=0x7FFFFFFF)),
    refused("zip_directory_too_short", "The directory is said to end within its first line.", _ended(length=20)),
    refused("zip_directory_of_no_length", "The directory is said to be empty, with one file in it.", _ended(length=0)),
    refused(
        "zip_directory_far_away", "The directory is said to begin behind the end of the file.", _ended(start=0x7FFFFFFF)
    ),
    refused("zip_directory_beyond_4_gb", "The directory's length wraps around 32 bits.", _fat32),
    refused("zip_line_too_long", "A name in the directory reaches beyond its end.", _entry_beyond),
    refused("zip64_count", "The 64-bit end promises 2^63 files.", _ended_wide(count=1 << 63)),
    refused(
        "zip64_length", "The 64-bit end promises a directory of 2^64 - 1 bytes.", _ended_wide(length=(1 << 64) - 1)
    ),
    refused("zip64_start", "The 64-bit end places the directory at 2^64 - 1.", _ended_wide(start=(1 << 64) - 1)),
    refused("zip64_volumes", "The 64-bit locator speaks of 1,000 volumes.", _ended_wide(disks=1000)),
    refused(
        "zip64_without_its_record",
        "A locator of a 64-bit end that is not there.",
        lambda seed: zips.write(
            [zips.store("good.tif", tiff(pixels(seed=seed)))],
            End(zips.FULL16, zips.FULL32, zips.FULL32, between=struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)),
        ),
    ),
    refused("zip_of_noise", "The mark of an archive before noise.", lambda seed: b"PK\3\4" + noise(seed, 3000)),
    refused("zip_behind_a_program", "A self-extracting archive: a Windows program comes first.", _behind_a_program),
    refused(
        "gzip_named_zip",
        "A gzip file whose name ends in .zip.",
        lambda seed: b"\x1f\x8b\x08\0" + noise(seed, 500),
    ),
)
