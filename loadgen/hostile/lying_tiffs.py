"""TIFF files whose strips unpack to something else than they should, or whose description lies."""

import zlib
from collections.abc import Callable

import cv2
import imagecodecs

from loadgen.hostile import tags
from loadgen.hostile.kinds import BAD, LABELLED, LARGE, UNNOTICED, Ends, Kind, image
from loadgen.hostile.sound import jpeg, noise, pixels
from loadgen.hostile.tags import build, plain
from loadgen.hostile.zips import zeros_of_zlib

Make = Callable[[int], bytes]


def _packed(method: int, body: Callable[[int], bytes], also: tags.Tags | None = None) -> Make:
    def make(seed: int) -> bytes:
        data = body(seed)
        return build([plain(also={tags.PACKING: method, tags.LENGTHS: len(data), **(also or {})})], data)

    return make


def _zlib_bomb(seed: int) -> bytes:
    return zeros_of_zlib(256)


def _zstd_bomb(seed: int) -> bytes:
    return bytes(imagecodecs.zstd_encode(bytes(1 << 27), level=1)) * 2


def _lzw_bomb(seed: int) -> bytes:
    return bytes(imagecodecs.lzw_encode(bytes(1 << 23)))


def _packbits_bomb(seed: int) -> bytes:
    return b"\x81\0" * 500_000


def _shared(seed: int, tiles: int = 1 << 16, empty: int = 200_000) -> bytes:
    """Tiles that are all one piece of the file, in which hundreds of thousands of bytes stand for nothing."""
    body = b"\x80" * empty + b"\x81\x07" * 2
    side = 16 * int(tiles**0.5)
    page = {
        code: value
        for code, value in plain(side, side, 8).items()
        if code not in (tags.ROWS, tags.LENGTHS, tags.PLACES)
    }
    said = {tags.PACKING: 32773, tags.TILE_WIDTH: 16, tags.TILE_HEIGHT: 16}
    return build([{**page, **said, tags.TILE_PLACES: [8] * tiles, tags.TILE_LENGTHS: [len(body)] * tiles}], body)


def many_scans(seed: int, count: int) -> bytes:
    """A progressive JPEG image whose last pass comes many times."""
    whole = jpeg(pixels(64, 64, "uint8", seed), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def _described(text: bytes, pages: int = 2) -> Make:
    """Pages of which the first has a description."""
    page = plain()
    return lambda seed: build([{**page, tags.TEXT: text + b"\0"}, *[page] * (pages - 1)], noise(seed, 6144))


def _ome(pixels_element: str, before: str = "", inside: str = "") -> bytes:
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    image = f'<Image ID="Image:0">{pixels_element}{inside}</Pixels></Image>'
    return f'<?xml version="1.0"?>{before}<OME xmlns="{space}">{image}</OME>'.encode()


def _sizes(x: int = 48, y: int = 64, z: int = 2, c: int = 1, t: int = 1) -> str:
    sizes = f'SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}"'
    return f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" {sizes}>'


_LAUGHS = (
    "<!DOCTYPE OME [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)) + "]>"
)
_REPEATED = f"<!DOCTYPE OME [<!ENTITY a '{'x' * 50_000}'>]>"
_LONG_AXIS = (
    "</Pixels></Image><StructuredAnnotations><XMLAnnotation ID='A' Namespace='modulo'><Value><Modulo>"
    "<ModuloAlongZ Type='phase' Start='0' End='1e10' Step='1'/>"
    "</Modulo></Value></XMLAnnotation></StructuredAnnotations><Image><Pixels>"
)
_SCN = (
    b"<scn xmlns='http://www.leica-microsystems.com/scn/2010/10/01'><collection><image><pixels>"
    b"<dimension sizeX='48' sizeY='64' r='0' z='1000000000' c='0' ifd='0'/></pixels></image></collection></scn>"
)
_OUTSIDE = "<!DOCTYPE OME [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"


def _tiff(name: str, what: str, make: Make, ends: Ends = BAD) -> Kind:
    return image(name, what, ".tif", make, ends)


KINDS: tuple[Kind, ...] = (
    _tiff("tiff_bomb_of_shared_tiles", "65,536 tiles that share one piece of 200,000 bytes that say nothing.", _shared),
    _tiff(
        "tiff_lacks_strips",
        "One packed strip where eight are needed.",
        _packed(8, lambda seed: zlib.compress(noise(seed, 768)), {tags.ROWS: 8}),
    ),
    _tiff(
        "tiff_short_strip",
        "A packed strip of fewer pixels than its page has.",
        _packed(5, lambda seed: bytes(imagecodecs.lzw_encode(noise(seed, 100)))),
    ),
    _tiff(
        "tiff_jpeg_too_small",
        "A strip that is a smaller JPEG image than the page.",
        _packed(7, lambda seed: jpeg(pixels(16, 48, "uint8", seed)), {tags.BITS: 8}),
    ),
    _tiff(
        "tiff_predictor_of_floats",
        "Differences of floats, of integers.",
        _packed(8, lambda seed: zlib.compress(noise(seed, 6144)), {tags.PREDICTOR: 3}),
        UNNOTICED,
    ),
    _tiff(
        "tiff_unknown_predictor",
        "Differences nobody knows.",
        _packed(8, lambda seed: zlib.compress(noise(seed, 6144)), {tags.PREDICTOR: 99}),
    ),
    _tiff("tiff_zlib_bomb", "256 MB in a strip of 6 kB.", _packed(8, _zlib_bomb)),
    _tiff("tiff_zstd_bomb", "256 MB in a strip of 6 kB, packed with zstd.", _packed(50000, _zstd_bomb)),
    _tiff("tiff_lzw_bomb", "8 MB in a strip of 6 kB, packed with LZW.", _packed(5, _lzw_bomb), LABELLED),
    _tiff("tiff_packbits_bomb", "64 MB in a strip of 6 kB, packed with PackBits.", _packed(32773, _packbits_bomb)),
    _tiff(
        "tiff_jpeg_too_large",
        "A strip that is a larger JPEG image than the page.",
        _packed(7, lambda seed: jpeg(pixels(2000, 2000, "uint8", seed)), {tags.BITS: 8}),
    ),
    _tiff(
        "tiff_jpeg_of_many_passes",
        "A strip that is a JPEG image of 10,000 passes.",
        _packed(7, lambda seed: many_scans(seed, 10_000), {tags.BITS: 8}),
    ),
    _tiff(
        "tiff_jpeg_of_noise",
        "A strip that should be a JPEG image and is noise.",
        _packed(7, lambda seed: noise(seed, 900), {tags.BITS: 8}),
    ),
    _tiff(
        "tiff_ome_more_planes",
        "OME-XML promises more planes than there are.",
        _described(_ome(_sizes(z=50), inside="<TiffData/>")),
    ),
    _tiff(
        "tiff_ome_huge",
        "OME-XML promises more pixels than a number can count.",
        _described(_ome(_sizes(x=1 << 40, y=1 << 40, z=1 << 40), inside="<TiffData/>")),
        LARGE,
    ),
    _tiff(
        "tiff_ome_billion_planes",
        "OME-XML promises a billion planes.",
        _described(_ome(_sizes(z=10**9), inside="<TiffData/>")),
        LARGE,
    ),
    _tiff(
        "tiff_ome_many_places",
        "OME-XML says of 200,000 planes where they lie.",
        _described(_ome(_sizes(), inside="<TiffData/>" * 200_000)),
        LARGE,
    ),
    _tiff(
        "tiff_ome_long_axis",
        "OME-XML promises a further axis of 10 billion steps.",
        _described(_ome(_sizes(), inside=_LONG_AXIS)),
        LARGE,
    ),
    _tiff(
        "tiff_ome_never_closed",
        "500,000 elements, none of them closed.",
        _described(b"<OME>" + b"<Pixels " * 500_000, 1),
        LABELLED,
    ),
    _tiff(
        "tiff_scn_billion_planes", "The description of a Leica slide with a billion planes.", _described(_SCN), LABELLED
    ),
    _tiff(
        "tiff_ome_negative",
        "OME-XML promises a negative number of planes.",
        _described(_ome(_sizes(z=-5), inside="<TiffData/>")),
        LABELLED,
    ),
    _tiff(
        "tiff_ome_plane_numbers",
        "OME-XML numbers its planes in the billions.",
        _described(_ome(_sizes(), inside='<TiffData IFD="1" FirstZ="1999999999" PlaneCount="2000000000"/>')),
        LABELLED,
    ),
    _tiff(
        "tiff_ome_billion_laughs",
        "OME-XML of entities that unfold to a gigabyte.",
        _described(_ome(_sizes(), _LAUGHS, "<Description>&a9;</Description>")),
        LABELLED,
    ),
    _tiff(
        "tiff_ome_repeated_entity",
        "OME-XML that says a long word 50,000 times.",
        _described(_ome(_sizes(), _REPEATED, f"<Description>{'&a;' * 50_000}</Description>")),
        LABELLED,
    ),
    _tiff(
        "tiff_ome_other_file",
        "OME-XML that asks for a file of the machine.",
        _described(_ome(_sizes(), _OUTSIDE, "<Description>&a;</Description>")),
        LABELLED,
    ),
    _tiff(
        "tiff_ome_deep",
        "OME-XML of 100,000 elements in one another.",
        _described(_ome(_sizes(), inside="<a>" * 100_000 + "</a>" * 100_000)),
        LABELLED,
    ),
    _tiff("tiff_ome_broken", "OME-XML that stops in the middle.", _described(_ome(_sizes())[:150]), LABELLED),
    _tiff(
        "tiff_imagej_more_images",
        "ImageJ's description promises more images than there are.",
        _described(b"ImageJ=1.54f\nimages=500\nslices=500\n", 1),
    ),
    _tiff(
        "tiff_imagej_negative",
        "ImageJ's description promises a negative number of slices.",
        _described(b"ImageJ=1.54f\nimages=2\nslices=-2\nframes=-1\n"),
        LABELLED,
    ),
)
