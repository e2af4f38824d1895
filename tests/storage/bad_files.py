"""Files that have to be refused, each with the reason it must be refused for. Used by the end-to-end tests as well.

`BAD_IMAGES` and `BAD_ARCHIVES` are refused as a whole; of the archives in `BAD_MEMBERS` one member is refused, and
`good.tif` beside it is fine (but where both claim the same place). `GOOD_ARCHIVES` have things in them that must be
passed over without a word.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import tifffile

Bad = dict[str, tuple[bytes, str]]


def pixels(height: int = 64, width: int = 48, dtype: str = "uint16", seed: int = 0) -> np.ndarray:
    """A noisy image."""
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width), dtype)


def tiff(image: np.ndarray | None = None, **options: object) -> bytes:
    """A TIFF file."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels() if image is None else image, **options)
    return file.getvalue()


def png(image: np.ndarray | None = None) -> bytes:
    """A PNG file."""
    return bytes(imagecodecs.png_encode(pixels() if image is None else image))


def jpeg(image: np.ndarray | None = None) -> bytes:
    """A JPEG file."""
    return bytes(imagecodecs.jpeg8_encode(pixels(dtype="uint8") if image is None else image))


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive; `good.tif` is stored, the others as asked for."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data, zipfile.ZIP_STORED if name == "good.tif" else method)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims this size, and hardly has any pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (chunk, body, b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff_header(width: int, height: int, following: int = 0, tile: int | None = None) -> bytes:
    """A TIFF file that claims this size, has no pixels, and says where its next page is (8: itself)."""
    tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (277, 1)]
    tags += [(273, 8), (278, height), (279, 4)] if tile is None else [(322, tile), (323, tile), (324, 8), (325, 4)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG file whose header claims this size."""
    whole = bytearray(jpeg())
    at = whole.index(b"\xff\xc0")
    whole[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def _float(value: float) -> np.ndarray:
    image = np.zeros((32, 32), np.float32)
    image[3, 4] = value
    return image


def _changed(data: bytes, change: Callable[[bytearray], None]) -> bytes:
    copy = bytearray(data)
    change(copy)
    return bytes(copy)


def _encrypted(data: bytearray) -> None:
    """Set the flag of the second member, here and in the directory."""
    local = data.index(b"PK\3\4", 4)
    central = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    data[local + 6] |= 1
    data[central + 8] |= 1


def _wrong_crc(data: bytearray) -> None:
    """Flip a bit of the second member's last byte."""
    data[data.index(b"PK\1\2") - 1] ^= 1


def _lying_size(data: bytearray) -> None:
    """Let the directory promise a gigabyte of the second member."""
    central = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    struct.pack_into("<I", data, central + 24, 1_000_000_000)


def _same_place(data: bytearray) -> None:
    """Let the second member of the directory point into the first."""
    central = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    struct.pack_into("<I", data, central + 42, 0)


def _volumes(data: bytearray) -> None:
    data[data.rindex(b"PK\5\6") + 4] = 1


def _one_less(data: bytearray) -> None:
    end = data.rindex(b"PK\5\6")
    struct.pack_into("<HH", data, end + 8, 3, 3)


GOOD = tiff()
_TWO = archive({"good.tif": GOOD, "bad.tif": tiff(pixels(seed=1))})
_NOISE = bytes(np.random.default_rng(3).integers(0, 256, 500, np.uint8))

BAD_IMAGES: Bad = {
    "empty.tif": (b"", "bad_input"),
    "text.txt": (b"Image names, one a line\n", "bad_input"),
    "text.tif": (b"not pixels\n", "bad_input"),
    "junk.tif": (b"II*\0" + _NOISE, "bad_input"),
    "junk.png": (b"\x89PNG\r\n\x1a\n" + _NOISE, "bad_input"),
    "junk.jpg": (b"\xff\xd8\xff" + _NOISE, "bad_input"),
    "cut_short.tif": (tiff()[:3000], "bad_input"),
    "cut_in_header.tif": (tiff()[:20], "bad_input"),
    "cut_short_packed.tif": (tiff(compression="zlib")[:-500], "bad_input"),
    "cut_short.png": (png()[:3000], "bad_input"),
    "few_rows.png": (png_header(48, 64), "bad_input"),
    "cut_short.jpg": (jpeg()[:1500], "bad_input"),
    "no_pixels.tif": (tiff_header(0, 0), "bad_input"),
    "no_pixels.png": (png_header(0, 0), "bad_input"),
    "no_pixels.jpg": (jpeg_header(0, 0), "bad_input"),
    "huge_header.tif": (tiff_header(100_000, 100_000), "too_large"),
    "huge_header.png": (png_header(100_000, 100_000), "too_large"),
    "huge_header.jpg": (jpeg_header(65_000, 65_000), "too_large"),
    "absurd_tiles.tif": (tiff_header(1000, 1000, tile=1 << 30), "bad_input"),
    "tiny_tiles.tif": (tiff_header(8000, 8000, tile=1), "bad_input"),
    "circle.tif": (tiff_header(10, 10, following=8), "bad_input"),
    "nan.tif": (tiff(_float(float("nan"))), "bad_input"),
    "float.tif": (tiff(_float(0.5)), "unsupported"),
    "signed.tif": (tiff(pixels().astype("int16")), "unsupported"),
    "wide.tif": (tiff(pixels().astype("uint32")), "unsupported"),
    "complex.tif": (tiff(pixels().astype("complex64")), "unsupported"),
    "mask.tif": (tiff(pixels() > 1000), "unsupported"),
    "colour.png": (png(np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8)), "bad_input"),
    "movie.gif": (b"GIF89a" + _NOISE, "unsupported"),
}

BAD_ARCHIVES: Bad = {
    "not_a_zip.zip": (b"This is no archive.\n" * 20, "bad_input"),
    "truncated.zip": (_TWO[: len(_TWO) // 2], "bad_input"),
    "no_members.zip": (archive({}), "bad_input"),
    "only_litter.zip": (archive({"a/": b"", "__MACOSX/._a.tif": b"x", ".DS_Store": b"x"}), "bad_input"),
    "volumes.zip": (_changed(_TWO, _volumes), "bad_input"),
    "short_directory.zip": (_changed(_TWO, _one_less), "bad_input"),
    "head_only.zip": (b"PK\3\4", "bad_input"),
}

BAD_MEMBERS: Bad = {
    "encrypted.zip": (_changed(_TWO, _encrypted), "unsupported"),
    "nested.zip": (archive({"good.tif": GOOD, "inner.zip": archive({"a.tif": GOOD})}), "unsupported"),
    "bzip2.zip": (archive({"good.tif": GOOD, "bad.tif": tiff(pixels(seed=1))}, zipfile.ZIP_BZIP2), "unsupported"),
    "absolute.zip": (archive({"good.tif": GOOD, "/etc/bad.tif": GOOD}), "bad_input"),
    "climbing.zip": (archive({"good.tif": GOOD, "a/../../bad.tif": GOOD}), "bad_input"),
    "drive.zip": (archive({"good.tif": GOOD, "C:\\bad.tif": GOOD}), "bad_input"),
    "text_member.zip": (archive({"good.tif": GOOD, "readme.txt": b"Look at good.tif"}), "bad_input"),
    "cut_member.zip": (archive({"good.tif": GOOD, "bad.tif": GOOD[:3000]}), "bad_input"),
    "wrong_crc.zip": (_changed(_TWO, _wrong_crc), "bad_input"),
    "lying_size.zip": (_changed(_TWO, _lying_size), "bad_input"),
    "overlap.zip": (_changed(_TWO, _same_place), "bad_input"),
    "huge_member.zip": (archive({"good.tif": GOOD, "huge.tif": tiff_header(100_000, 100_000)}), "too_large"),
}

GOOD_ARCHIVES: dict[str, tuple[bytes, int]] = {
    "mac.zip": (
        archive({"plate/": b"", "plate/a.tif": GOOD, "__MACOSX/plate/._a.tif": b"x", "plate/.DS_Store": b"x"}), 1,
    ),
    "windows.zip": (archive({"a\\b.tif": GOOD, "a\\Thumbs.db": b"x", "Desktop.ini": b"x"}), 1),
    "deflated.zip": (archive({"a.tif": GOOD, "b.png": png(), "c.jpg": jpeg()}, zipfile.ZIP_DEFLATED), 3),
    "odd_names.zip": (archive({"Präparat 1/ä#+%.tif": GOOD, "..hidden.tif": b"x", "細胞.tif": GOOD}), 2),
}  # fmt: skip
"""Archives, and how many images each holds."""
