"""TIFF files that are sound or nearly so, of every kind that microscopes, cameras and programs write."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import tifffile

from loadgen.hostile import tags
from loadgen.hostile.kinds import BAD, LABELLED, LARGE, OTHER, Ends, Kind, image
from loadgen.hostile.sound import Pixels, noise, pixels, tiff
from loadgen.hostile.tags import build, plain

Make = Callable[[int], bytes]
_UUID = "00000000-0000-4000-8000-000000000000"
"""tifffile would draw one."""


def _written(shape: tuple[int, ...] = (64, 48), dtype: str = "uint16", **options: Any) -> Make:
    """Noise of a shape, as tifffile writes it."""
    return lambda seed: tiff(np.random.default_rng(seed).integers(0, 255, shape).astype(dtype), **options)


def _floats(value: float, dtype: str = "float32") -> Make:
    def make(seed: int) -> bytes:
        values = np.random.default_rng(seed).random((32, 32)).astype(dtype)
        values[3, 4] = value
        return tiff(values)

    return make


def _grey_colours(samples: int) -> Make:
    return lambda seed: tiff(np.stack([pixels(dtype="uint8", seed=seed)] * samples, -1), photometric="rgb")


def _palette(colourful: bool) -> Make:
    ramp: Pixels = np.stack([np.arange(255, -1, -1, dtype=np.uint16) * 257] * 3)
    if colourful:
        ramp[1] = 7
    return lambda seed: tiff(pixels(dtype="uint8", seed=seed), photometric="palette", colormap=ramp)


def _flat(value: int) -> Make:
    return lambda seed: tiff(np.full((64, 48), value, np.uint16))


def _built(
    width: int = 48,
    height: int = 64,
    bits: int = 16,
    order: str = "<",
    big: bool = False,
    also: tags.Tags | None = None,
) -> Make:
    """An image in one strip, by hand: with tags that tifffile doesn't write."""
    start = {tags.PLACES: 16} if big else {}
    page = plain(width, height, bits, {**start, **(also or {})})
    return lambda seed: build([page], noise(seed, -(-width * bits // 8) * height), order, big)


def _one_by_one(dtype: str = "uint16", **options: Any) -> Make:
    """Pages without a description, not in one piece."""

    def make(seed: int) -> bytes:
        file = io.BytesIO()
        with tifffile.TiffWriter(file) as writer:
            for number in range(3):
                writer.write(pixels(dtype=dtype, seed=seed + number), metadata=None, contiguous=False, **options)
        return file.getvalue()

    return make


def _tiff(name: str, what: str, make: Make, ends: Ends = LABELLED) -> Kind:
    return image(name, what, ".tif", make, ends)


KINDS: tuple[Kind, ...] = (
    _tiff("tiff_1x1", "One pixel.", _written((1, 1))),
    _tiff("tiff_1x100000", "One row of 100,000 pixels.", _written((1, 100_000))),
    _tiff("tiff_100000x1", "One column of 100,000 pixels.", _written((100_000, 1))),
    _tiff("tiff_black", "Nothing but zeros.", _flat(0)),
    _tiff("tiff_white", "Nothing but the largest number.", _flat(65_535)),
    _tiff("tiff_big_endian", "The most significant byte first.", _written(byteorder=">")),
    _tiff("tiff_bigtiff", "A BigTIFF file.", _written(bigtiff=True)),
    _tiff(
        "tiff_bigtiff_big_endian",
        "A BigTIFF file with the most significant byte first.",
        _written(bigtiff=True, byteorder=">"),
    ),
    _tiff("tiff_white_is_zero", "Light is dark and dark is light.", _written(photometric="miniswhite")),
    _tiff("tiff_4_bit", "Four bits a pixel.", _built(bits=4)),
    _tiff("tiff_12_bit", "Twelve bits a pixel.", _built(bits=12)),
    _tiff("tiff_lzw_tiles", "Tiles packed with LZW.", _written(compression="lzw", tile=(32, 32))),
    _tiff("tiff_packbits", "Rows packed with PackBits.", _written(compression="packbits")),
    _tiff("tiff_zstd_predictor", "Differences packed with zstd.", _written(compression="zstd", predictor=True)),
    _tiff("tiff_jpeg", "Strips that are JPEG images.", _written(dtype="uint8", compression="jpeg")),
    _tiff("tiff_pages", "Three pages without a description.", _one_by_one()),
    _tiff("tiff_packed_pages", "Three packed pages without a description.", _one_by_one(compression="zlib")),
    _tiff("tiff_jpeg_pages", "Three pages that are JPEG images.", _one_by_one("uint8", compression="jpeg")),
    _tiff(
        "tiff_imagej_stack",
        "A stack as ImageJ writes it.",
        _written((2, 3, 20, 30), imagej=True, metadata={"axes": "ZCYX"}, photometric="minisblack"),
    ),
    _tiff(
        "tiff_ome_stack",
        "A stack as OME writes it.",
        _written(
            (2, 3, 20, 30), ome=True, metadata={"axes": "TCYX", "UUID": f"urn:uuid:{_UUID}"}, photometric="minisblack"
        ),
    ),
    _tiff(
        "tiff_many_channels",
        "5,000 channels of 8 x 8 pixels.",
        _written((8, 8, 5000), "uint8", photometric="minisblack", planarconfig="contig", metadata=None),
    ),
    _tiff(
        "tiff_separate_channels",
        "300 channels, each by itself.",
        _written((300, 8, 8), "uint8", photometric="minisblack", planarconfig="separate", metadata=None),
    ),
    _tiff(
        "tiff_one_strip_for_ever", "Strips that are said to have 4 billion rows.", _built(also={tags.ROWS: 0xFFFFFFFF})
    ),
    _tiff(
        "tiff_overlapping_strips",
        "All strips lie in one place.",
        _built(also={tags.ROWS: 1, tags.PLACES: [8] * 64, tags.LENGTHS: [96] * 64}),
    ),
    _tiff(
        "tiff_unknown_tags",
        "Tags and types that nobody knows.",
        _built(also={60000: ("raw", 99, 0xFFFFFFFF, 7), 60001: b"?" * 5000}),
    ),
    _tiff("tiff_rgb_grey", "Red, green and blue that are all the same.", _grey_colours(3)),
    _tiff("tiff_rgba_grey", "The same with transparency.", _grey_colours(4)),
    _tiff("tiff_rgb", "Colours.", _written((64, 48, 3), "uint8", photometric="rgb"), BAD),
    _tiff(
        "tiff_rgb_separate",
        "Colours, each by itself.",
        _written((3, 64, 48), "uint8", photometric="rgb", planarconfig="separate"),
        BAD,
    ),
    _tiff("tiff_palette", "A palette of greys.", _palette(False)),
    _tiff("tiff_palette_of_colours", "A palette of colours.", _palette(True), BAD),
    _tiff(
        "tiff_palette_missing", "Numbers of a palette that is not there.", _built(also={tags.MEANING: 3}, bits=8), BAD
    ),
    _tiff(
        "tiff_palette_short",
        "A palette of four colours for 256 numbers.",
        _built(also={tags.MEANING: 3, tags.PALETTE: [9] * 12}, bits=8),
        BAD,
    ),
    _tiff("tiff_1_bit", "Black and white.", lambda seed: tiff(pixels(seed=seed) > 1000), OTHER),
    _tiff("tiff_int8", "Negative numbers of 8 bits.", _written(dtype="int8"), OTHER),
    _tiff("tiff_int16", "Negative numbers of 16 bits.", _written(dtype="int16"), OTHER),
    _tiff("tiff_int32", "Negative numbers of 32 bits.", _written(dtype="int32"), OTHER),
    _tiff("tiff_uint32", "Numbers of 32 bits.", _written(dtype="uint32"), OTHER),
    _tiff("tiff_uint64", "Numbers of 64 bits.", _written(dtype="uint64"), OTHER),
    _tiff("tiff_float16", "Half-precision numbers.", _floats(0.5, "float16"), OTHER),
    _tiff("tiff_float32", "Single-precision numbers.", _floats(0.5), OTHER),
    _tiff("tiff_float64", "Double-precision numbers.", _floats(0.5, "float64"), OTHER),
    _tiff("tiff_infinite", "A number without end.", _floats(float("inf")), OTHER),
    _tiff("tiff_nan", "A number that is none.", _floats(float("nan")), BAD),
    _tiff("tiff_nan_float16", "A half-precision number that is none.", _floats(float("nan"), "float16"), BAD),
    _tiff("tiff_complex", "Complex numbers.", _written(dtype="complex64"), OTHER),
    _tiff("tiff_jpeg2000", "Packed with JPEG 2000.", _built(also={tags.PACKING: 34712}), OTHER),
    _tiff("tiff_fax", "Packed as a fax.", _built(also={tags.PACKING: 4}, bits=1), OTHER),
    _tiff("tiff_unknown_packing", "Packed in a way that nobody knows.", _built(also={tags.PACKING: 60_000}), OTHER),
    _tiff(
        "tiff_subsampled_colours",
        "Unpacked YCbCr whose colours have half the size.",
        _built(48, 64, 8, also={tags.MEANING: 6, tags.SAMPLES: 3, tags.BITS: [8, 8, 8], tags.SUBSAMPLING: [2, 2]}),
        OTHER,
    ),
    _tiff(
        "tiff_too_large_stack",
        "ImageJ's description promises 10 million images.",
        _written((200, 200), description="ImageJ=1.54\nimages=9999999\n", metadata=None),
        LARGE,
    ),
)
