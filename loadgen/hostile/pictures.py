"""PNG and JPEG files, hostile and odd."""

import struct
import zlib
from collections.abc import Callable

import numpy as np

from loadgen.hostile.kinds import BAD, LABELLED, LARGE, OTHER, UNNOTICED, Ends, Kind, image
from loadgen.hostile.lying_tiffs import many_scans
from loadgen.hostile.sound import PNG, changed, chunk, flipped, jpeg, noise, pixels, png, png_header
from loadgen.hostile.zips import zeros_of_zlib

Make = Callable[[int], bytes]


def _raw(
    width: int, height: int, bits: int, colour: int, rows: bytes, *between: bytes, interlaced: bool = False
) -> bytes:
    """A PNG file by hand; chunks between go before the pixels."""
    head = png_header(width, height, bits, colour, interlaced)
    return PNG + head + b"".join(between) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND")


def _rows(seed: int, length: int, height: int = 64) -> bytes:
    """Unfiltered rows of so many bytes."""
    return b"".join(b"\0" + noise(seed + row, length) for row in range(height))


def _of(bits: int, colour: int, length: int, *between: bytes) -> Make:
    return lambda seed: _raw(48, 64, bits, colour, _rows(seed, length), *between)


def _sized(width: int, height: int) -> Make:
    return lambda seed: _raw(width, height, 16, 0, bytes(100))


def _interlaced(seed: int) -> bytes:
    """Seven passes (Adam7) of an 8 x 8 image."""
    widths = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
    rows = b"".join(_rows(seed, width, height) for width, height in widths)
    return _raw(8, 8, 8, 0, rows, interlaced=True)


def _wrong_checksum(seed: int) -> bytes:
    def flip(data: bytearray) -> None:
        data[data.index(b"IDAT") + 9] ^= 4

    return changed(png(pixels(seed=seed)), flip)


def _animated(seed: int) -> bytes:
    """A second frame behind the first."""
    control = (
        chunk(b"acTL", struct.pack(">II", 2, 0)),
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 48, 64, 0, 0, 1, 9, 0, 0)),
    )
    second = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 48, 64, 0, 0, 1, 9, 0, 0))
    frame = chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(_rows(seed + 99, 48), 1))
    whole = _raw(48, 64, 8, 0, _rows(seed, 48), *control)
    return whole[:-12] + second + frame + whole[-12:]


def _animated_damaged(seed: int) -> bytes:
    """OpenCV 5.0 gave whatever was in memory for the rows that do not unpack."""
    whole = _animated(seed)
    at = whole.index(b"IDAT")
    length = int.from_bytes(whole[at - 4 : at], "big")
    body = flipped(whole[at + 4 : at + 4 + length], seed, 40, 1000)
    return whole[: at - 4] + chunk(b"IDAT", body) + whole[at + 8 + length :]


def _png_bomb(seed: int) -> bytes:
    return PNG + png_header(48, 64, 8, 0) + chunk(b"IDAT", zeros_of_zlib(256)) + chunk(b"IEND")


def _text_bomb(seed: int) -> bytes:
    body = b"Comment\0\0" + zeros_of_zlib(64)
    return _raw(48, 64, 8, 0, _rows(seed, 48), chunk(b"zTXt", body), chunk(b"iCCP", b"profile\0\0" + body[9:]))


def _crumbs(seed: int) -> bytes:
    whole = png(pixels(seed=seed))
    return whole[:33] + chunk(b"tEXt", b"a\0b") * 200_000 + whole[33:]


def _frame(height: int, width: int) -> Make:
    """A JPEG image whose header claims another size."""

    def make(seed: int) -> bytes:
        def lie(data: bytearray) -> None:
            at = data.index(b"\xff\xc0")
            data[at + 5 : at + 9] = struct.pack(">HH", height, width)

        return changed(jpeg(pixels(dtype="uint8", seed=seed)), lie)

    return make


def _marked(marker: int, bits: int = 8) -> Make:
    """A JPEG image whose header names another process."""

    def make(seed: int) -> bytes:
        def name(data: bytearray) -> None:
            at = data.index(b"\xff\xc0")
            data[at + 1], data[at + 4] = marker, bits

        return changed(jpeg(pixels(dtype="uint8", seed=seed)), name)

    return make


def _four_colours(seed: int) -> bytes:
    """The header of a CMYK image, as print shops send it."""
    head = b"\xff\xc0" + struct.pack(">HBHHB", 20, 8, 64, 48, 4) + b"".join(bytes((n, 0x11, 0)) for n in range(1, 5))
    return b"\xff\xd8" + head + b"\xff\xda" + noise(seed, 500).replace(b"\xff", b"\0") + b"\xff\xd9"


def _without_tables(seed: int) -> bytes:
    whole = jpeg(pixels(dtype="uint8", seed=seed))
    first, frame = whole.index(b"\xff\xdb"), whole.index(b"\xff\xc0")
    return whole[:first] + whole[frame:]


def _grey_jpeg(seed: int) -> bytes:
    return jpeg(np.stack([pixels(dtype="uint8", seed=seed)] * 3, -1))


def _png(name: str, what: str, make: Make, ends: Ends = BAD) -> Kind:
    return image(name, what, ".png", make, ends)


def _jpeg(name: str, what: str, make: Make, ends: Ends = BAD) -> Kind:
    return image(name, what, ".jpg", make, ends)


_SEE_THROUGH = chunk(b"tRNS", b"\x12\x34")
_GREYS = chunk(b"PLTE", bytes(value for grey in range(256) for value in (grey, grey, grey)))
_COLOURS = chunk(b"PLTE", noise(5, 768))

KINDS: tuple[Kind, ...] = (
    _png("png_8_bit", "A sound image of 8 bits.", _of(8, 0, 48), LABELLED),
    _png("png_2_bit", "Two bits a pixel.", _of(2, 0, 12), LABELLED),
    _png("png_interlaced", "Seven passes, each finer.", _interlaced, LABELLED),
    _png(
        "png_16_bit_see_through", "16 bits with one colour that is transparent.", _of(16, 0, 96, _SEE_THROUGH), LABELLED
    ),
    _png("png_grey_and_alpha", "Grey with transparency.", _of(8, 4, 96), LABELLED),
    _png("png_animated", "An animation of two frames.", _animated, LABELLED),
    _png("png_animated_damaged", "An animation whose first frame does not unpack.", _animated_damaged),
    _png("png_palette_of_greys", "A palette of greys.", _of(8, 3, 48, _GREYS), LABELLED),
    _png("png_palette_of_colours", "A palette of colours.", _of(8, 3, 48, _COLOURS)),
    _png("png_palette_missing", "Numbers of a palette that is not there.", _of(8, 3, 48)),
    _png("png_rgb", "Colours.", _of(8, 2, 144)),
    _png("png_rgba", "Colours with transparency.", _of(16, 6, 384)),
    _png("png_1_bit", "Black and white.", _of(1, 0, 6), OTHER),
    _png("png_of_noise", "The mark before noise.", lambda seed: PNG + noise(seed, 500)),
    _png("png_cut_in_header", "Cut within its header.", lambda seed: png(pixels(seed=seed))[:25]),
    _png("png_cut_in_pixels", "Cut within its pixels.", lambda seed: png(pixels(seed=seed))[:3000]),
    _png("png_cut_before_its_end", "Only the last piece is missing.", lambda seed: png(pixels(seed=seed))[:-12]),
    _png("png_flipped", "Bits flipped anywhere.", lambda seed: flipped(png(pixels(seed=seed)), seed, 3, 8)),
    _png("png_wrong_checksum", "A piece whose checksum does not fit.", _wrong_checksum),
    _png("png_0x0", "No pixels.", _sized(0, 0)),
    _png("png_few_rows", "Fewer rows than its header says.", _sized(48, 64)),
    _png("png_10_gigapixels", "A header that claims ten gigapixels.", _sized(100_000, 100_000), LARGE),
    _png(
        "png_2_billion_wide", "A header that claims the largest size there is.", _sized(0x7FFFFFFF, 0x7FFFFFFF), LARGE
    ),
    _png("png_bomb", "256 MB of pixels for 48 x 64.", _png_bomb),
    _png("png_text_bomb", "Comments that unpack to 64 MB.", _text_bomb, LABELLED),
    _png("png_200000_pieces", "200,000 comments.", _crumbs, LABELLED),
    _png("png_3_bit", "A depth that there is not.", _of(3, 0, 18)),
    _png("png_unknown_colour", "A kind of colour that there is not.", _of(8, 5, 240)),
    _png(
        "png_long_piece",
        "A piece of 2 GB.",
        lambda seed: PNG + png_header(48, 64, 8, 0) + b"\x7f\xff\xff\xffIDAT" + noise(seed, 900),
    ),
    _jpeg("jpeg_grey", "A sound grey image.", lambda seed: jpeg(pixels(dtype="uint8", seed=seed)), LABELLED),
    _jpeg("jpeg_grey_colours", "Red, green and blue that are all the same.", _grey_jpeg, LABELLED),
    _jpeg(
        "jpeg_colours",
        "Colours.",
        lambda seed: jpeg(np.random.default_rng(seed).integers(0, 255, (64, 48, 3), np.uint8)),
    ),
    _jpeg("jpeg_cmyk", "Four colours, as print shops send them.", _four_colours, OTHER),
    _jpeg("jpeg_12_bit", "Twelve bits a pixel.", _marked(0xC1, 12), OTHER),
    _jpeg("jpeg_lossless", "A header of the lossless process.", _marked(0xC3)),
    _jpeg("jpeg_arithmetic", "A header of the arithmetic process.", _marked(0xC9), UNNOTICED),
    _jpeg("jpeg_of_noise", "The mark before noise.", lambda seed: b"\xff\xd8\xff" + noise(seed, 500)),
    _jpeg("jpeg_cut_in_header", "Cut within its header.", lambda seed: jpeg()[:100]),
    _jpeg("jpeg_cut_in_pixels", "Cut within its pixels.", lambda seed: jpeg(pixels(dtype="uint8", seed=seed))[:1500]),
    _jpeg(
        "jpeg_flipped",
        "Bits flipped in the pixels, which may go unnoticed.",
        lambda seed: flipped(jpeg(), seed, 3, 700),
        UNNOTICED,
    ),
    _jpeg("jpeg_without_tables", "Without the tables that its pixels need.", _without_tables),
    _jpeg("jpeg_0x0", "No pixels.", _frame(0, 0)),
    _jpeg("jpeg_more_rows", "A header that claims ten times its rows.", _frame(640, 48)),
    _jpeg("jpeg_4_gigapixels", "A header that claims the largest size there is.", _frame(65_535, 65_535), LARGE),
    _jpeg("jpeg_10000_passes", "A progressive image of 10,000 passes.", lambda seed: many_scans(seed, 10_000)),
    _jpeg(
        "jpeg_50_passes",
        "A progressive image of 50 passes, three times as many as programs write.",
        lambda seed: many_scans(seed, 50),
    ),
    _jpeg(
        "jpeg_progressive",
        "A progressive image of as many passes as programs write.",
        lambda seed: many_scans(seed, 1),
        LABELLED,
    ),
    _jpeg("jpeg_with_junk_behind", "Noise behind the end.", lambda seed: jpeg() + noise(seed, 4000), LABELLED),
)
