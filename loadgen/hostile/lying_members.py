"""Zip archives with a member of which the archive says what is not so, or that can't be taken."""

from loadgen.hostile import zips
from loadgen.hostile.beside import LOST, bad, beside
from loadgen.hostile.kinds import LARGE, OTHER, Kind, mixed
from loadgen.hostile.sound import changed, tiff
from loadgen.hostile.tags import header
from loadgen.hostile.zips import ENCRYPTED, FULL32, Part


def _packed_with(method: int) -> Part:
    return Part(b"bad.tif", b"\x5d\0\0\x80" * 30, 5000, crc=1, method=method)


def _wrong_crc(seed: int) -> bytes:
    def flip(data: bytearray) -> None:
        data[data.index(b"PK\1\2") - 1] ^= 1

    return changed(beside(bad())(seed), flip)


_METHODS = {1: "shrink", 9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd", 98: "ppmd", 99: "aes"}
_LIES: tuple[tuple[str, str, Part], ...] = (
    ("size_too_large", "The directory promises a gigabyte of a small stored member.", bad(size=1_000_000_000)),
    ("size_too_small", "The directory promises fewer bytes than a member has.", bad(size=100)),
    (
        "packed_into_more",
        "A member of ten bytes is said to be packed into 200,000.",
        zips.store("bad.tif", bytes(200_000), size=10),
    ),
    ("packed_beyond_the_file", "A member is said to reach beyond the end of the file.", bad(packed=0x7FFFFFFF)),
    ("offset_beyond_the_file", "A member is said to begin behind the end of the file.", bad(offset=0x7FFFFFFF)),
    ("offset_within_another", "A member is said to begin within another.", bad(offset=100)),
    ("offset_in_the_directory", "A member is said to begin where the directory does.", bad(offset=13_500)),
    ("method_in_doubt", "The header of a member names another method than the directory.", bad(local={"method": 8})),
    ("size_in_doubt", "The header of a member names another size than the directory.", bad(local={"size": 7})),
    ("encrypted_inside", "Only the header of a member says that it is encrypted.", bad(local={"flags": ENCRYPTED})),
    (
        "zip64_without_numbers",
        "Sizes are said to stand in an extra field that is not there.",
        bad(size=FULL32, packed=FULL32),
    ),
    (
        "zip64_offset",
        "A member is said to begin at 2^64 - 1.",
        bad(offset=FULL32, extra=zips.wide(2**64 - 1)),
    ),
    (
        "zip64_broken_extra",
        "An extra field ends within its numbers.",
        bad(size=FULL32, packed=FULL32, extra=b"\1\0\x20\0abc"),
    ),
    (
        "zip64_of_2_to_the_64",
        "Sizes of 2^64 - 1 in the extra field.",
        bad(size=FULL32, packed=FULL32, extra=zips.wide(2**64 - 1, 2**64 - 1)),
    ),
    (
        "broken_deflate",
        "A deflated member whose stream is noise.",
        Part(b"bad.tif", b"\xff" * 3000, 5000, crc=1, method=8),
    ),
    (
        "cut_deflate",
        "A deflated member whose stream ends too early.",
        Part(b"bad.tif", zips.deflated(tiff())[:-900], len(tiff()), crc=1, method=8),
    ),
    ("link", "A symbolic link to a file of the machine.", zips.store("bad.tif", b"/etc/passwd", mode=0o120777)),
    ("empty_member", "A member without a byte.", zips.store("bad.tif", b"")),
    ("text_member", "A note beside the images.", zips.store("bad.tif", b"Look at good.tif")),
    ("cut_member", "An image that was cut short before it was packed.", zips.store("bad.tif", tiff()[:3000])),
)

KINDS: tuple[Kind, ...] = (
    *(mixed(f"zip_{name}", what, beside(part), LOST) for name, what, part in _LIES),
    mixed("zip_wrong_checksum", "A member's last byte is not what it was.", _wrong_crc, LOST),
    mixed("zip_encrypted", "A member with a password.", beside(bad(flags=ENCRYPTED)), {"bad.tif": OTHER}),
    *(
        mixed(
            f"zip_method_{name}",
            f"A member packed with method {number}.",
            beside(_packed_with(number)),
            {"bad.tif": OTHER},
        )
        for number, name in _METHODS.items()
    ),
    mixed(
        "zip_member_too_large",
        "A member whose header claims ten gigapixels.",
        beside(zips.store("bad.tif", header(100_000, 100_000))),
        {"bad.tif": LARGE},
    ),
)
