"""TIFF files that are damaged, or lie about what is in them."""

import struct
from collections.abc import Callable

from loadgen.hostile import tags
from loadgen.hostile.kinds import ANY, BAD, LABELLED, LARGE, OTHER, UNNOTICED, Ends, Kind, image
from loadgen.hostile.sound import archive, flipped, noise, pixels, tiff
from loadgen.hostile.tags import START, build, header, plain

Make = Callable[[int], bytes]


def _cut(share: float, **options: object) -> Make:
    def make(seed: int) -> bytes:
        whole = tiff(pixels(seed=seed), **options)
        return whole[: int(len(whole) * share)]

    return make


def _tagged(also: tags.Tags | None = None, big: bool = False, last: int = 0) -> Make:
    """One page of 48 x 64 pixels whose tags lie."""
    return lambda seed: build([plain(also=also)], noise(seed, 6144), big=big, last=last)


def _tiled(side: int) -> Make:
    page = {code: value for code, value in plain().items() if code not in (tags.PLACES, tags.ROWS, tags.LENGTHS)}
    extra: dict[int, tags.Value] = {322: side, 323: side, 324: START, 325: 2048}
    return lambda seed: build([{**page, **extra}], noise(seed, 6144))


def _chain(pages: int) -> Make:
    """Pages that follow one another, all with the same pixels."""

    def make(seed: int) -> bytes:
        whole, size = build([plain(10, 10)], noise(seed, 200)), 2 + 9 * 12 + 4
        first = len(whole) - size
        body = b"".join(whole[first:-4] + struct.pack("<I", first + size * number) for number in range(1, pages))
        return whole[:first] + body + whole[first:]

    return make


def _circle(seed: int) -> bytes:
    """The third page is followed by the first."""
    page, data = plain(), noise(seed, 6144)
    return build([page, page, page], data, last=START + len(data))


def _also_a_zip(seed: int) -> bytes:
    """Read from the front it is an image, read from the end an archive."""
    return tiff(pixels(seed=seed)) + archive({"inner.tif": tiff()})


def _of_archive(seed: int) -> bytes:
    return b"II*\0" + archive({"inner.tif": tiff(pixels(seed=seed))})


def _tiff(name: str, what: str, make: Make, ends: Ends = BAD) -> Kind:
    return image(name, what, ".tif", make, ends)


KINDS: tuple[Kind, ...] = (
    _tiff("tiff_mark_only", "Nothing but the first four bytes.", lambda seed: b"II*\0"),
    _tiff("tiff_of_noise", "The mark before noise.", lambda seed: b"II*\0" + noise(seed, 500)),
    _tiff("tiff_cut_in_header", "Cut within its first page's tags.", lambda seed: tiff(pixels(seed=seed))[:20]),
    _tiff("tiff_cut_in_pixels", "Cut within its pixels.", _cut(0.5)),
    _tiff("tiff_cut_in_packed_pixels", "Cut within its packed pixels.", _cut(0.9, compression="zlib")),
    _tiff(
        "tiff_flipped_pixels",
        "Bits flipped in the pixels, which nothing can notice.",
        lambda seed: flipped(tiff(), seed, 5, 1000),
        LABELLED,
    ),
    _tiff(
        "tiff_flipped_header",
        "Bits flipped in the tags.",
        lambda seed: flipped(tiff()[:256], seed, 8) + tiff()[256:],
        ANY,
    ),
    _tiff(
        "tiff_flipped_lzw",
        "Bits flipped in packed pixels.",
        lambda seed: flipped(tiff(compression="lzw"), seed, 5, 1000),
        UNNOTICED,
    ),
    _tiff(
        "tiff_flipped_zlib",
        "Bits flipped in packed pixels with a checksum.",
        lambda seed: flipped(tiff(compression="zlib"), seed, 3, 1000),
        BAD,
    ),
    _tiff("tiff_0x0", "No pixels.", lambda seed: header(0, 0)),
    _tiff("tiff_0x64", "No width.", lambda seed: header(0, 64)),
    _tiff("tiff_10_gigapixels", "A header that claims ten gigapixels.", lambda seed: header(100_000, 100_000), LARGE),
    _tiff(
        "tiff_4_billion_wide",
        "A header that claims the largest size there is.",
        lambda seed: header(0xFFFFFFFF, 0xFFFFFFFF),
        LARGE,
    ),
    _tiff("tiff_65535_samples", "65,535 values a pixel.", _tagged({tags.SAMPLES: 65_535, tags.BITS: 16})),
    _tiff("tiff_no_samples", "No values a pixel.", _tagged({tags.SAMPLES: 0})),
    _tiff("tiff_page_of_itself", "A page followed by itself.", lambda seed: header(10, 10, following=8)),
    _tiff("tiff_circle", "Three pages in a circle.", _circle),
    _tiff("tiff_100000_pages", "A chain of 100,000 pages.", _chain(100_000)),
    _tiff("tiff_page_beyond", "The next page lies behind the end of the file.", _tagged(last=0x7FFFFFFF)),
    _tiff(
        "tiff_bigtiff_page_beyond",
        "The next page lies at 2^64 - 1.",
        _tagged({tags.PLACES: 16}, big=True, last=(1 << 64) - 1),
    ),
    _tiff("tiff_without_pages", "A header, and no page.", lambda seed: b"II*\0\0\0\0\0" + noise(seed, 100)),
    _tiff("tiff_huge_tiles", "Tiles of a billion pixels a side.", _tiled(1 << 30)),
    _tiff("tiff_tiny_tiles", "64 million tiles of one pixel.", lambda seed: header(8000, 8000, tile=1)),
    _tiff("tiff_tiles_of_nothing", "Tiles without pixels.", _tiled(0)),
    _tiff("tiff_lacks_tiles", "One tile where twelve are needed.", _tiled(16)),
    _tiff(
        "tiff_rows_of_nothing",
        "Strips without rows.",
        _tagged({tags.ROWS: 0}),
    ),
    _tiff(
        "tiff_one_strip_of_all",
        "One strip of all rows where 64 of one row are announced.",
        _tagged({tags.ROWS: 1}),
        LABELLED,
    ),
    _tiff(
        "tiff_a_million_strips",
        "A million strips for 64 rows.",
        _tagged({tags.PLACES: [8] * 1_000_000, tags.LENGTHS: [96] * 1_000_000, tags.ROWS: 1}),
        LABELLED,
    ),
    _tiff(
        "tiff_4_billion_strips",
        "A number of strips beyond the file.",
        _tagged({tags.PLACES: ("raw", 4, 0xFFFFFFFF, 8)}),
    ),
    _tiff("tiff_strips_beyond", "Strips behind the end of the file.", _tagged({tags.PLACES: 0x7FFFFFFF})),
    _tiff("tiff_strips_too_long", "Strips of 4 billion bytes.", _tagged({tags.LENGTHS: 0xFFFFFFFF})),
    _tiff("tiff_strips_too_short", "Strips with fewer bytes than pixels.", _tagged({tags.LENGTHS: 100})),
    _tiff("tiff_strips_of_nothing", "Strips of no bytes.", _tagged({tags.LENGTHS: 0})),
    _tiff(
        "tiff_lacks_places",
        "No word of where the pixels are.",
        lambda seed: build(
            [{code: value for code, value in plain().items() if code != tags.PLACES}], noise(seed, 6144)
        ),
    ),
    _tiff(
        "tiff_10_million_subpages", "Ten million smaller versions.", _tagged({tags.SUBPAGES: ("raw", 4, 10_000_000, 8)})
    ),
    _tiff(
        "tiff_subpage_of_itself",
        "A smaller version that is the page itself.",
        _tagged({tags.SUBPAGES: START + 6144}),
        LABELLED,
    ),
    _tiff(
        "tiff_exif_of_itself",
        "Camera data that are the page itself.",
        _tagged({tags.CAMERA: START + 6144, tags.POSITION: START + 6144}),
        LABELLED,
    ),
    _tiff(
        "tiff_bits_of_all_kinds",
        "Values of 8, 16 and 8 bits.",
        _tagged({tags.SAMPLES: 3, tags.MEANING: 2, tags.BITS: [8, 16, 8]}),
        OTHER,
    ),
    _tiff("tiff_also_a_zip", "An image in front, an archive behind.", _also_a_zip, LABELLED),
    _tiff("tiff_mark_before_an_archive", "The mark of an image before an archive.", _of_archive),
)
