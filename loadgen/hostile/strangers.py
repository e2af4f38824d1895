"""Files that are no images Monolayer reads, under whatever name."""

from collections.abc import Callable

from loadgen.hostile.beside import beside
from loadgen.hostile.kinds import BAD, GOOD, LABELLED, OTHER, Kind, image
from loadgen.hostile.sound import jpeg, noise, pixels, png, tiff

_FOREIGN = {
    "gif": (".tif", b"GIF89a", "A GIF image named .tif."),
    "bmp": (".bmp", b"BM", "A BMP image."),
    "webp": (".webp", b"RIFF\x24\x10\0\0WEBPVP8 ", "A WebP image."),
    "czi": (".czi", b"ZISRAWFILE\0\0\0\0\0\0", "A CZI file."),
    "nd2": (".nd2", b"\xda\xce\xbe\x0a", "An ND2 file."),
    "lif": (".lif", b"p\0\0\0\x2a\0\0\0\x2a", "A LIF file."),
    "oib": (".oib", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "An OIB file."),
    "hdf5": (".h5", b"\x89HDF\r\n\x1a\n", "An HDF5 file."),
    "jp2": (".jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "A JPEG 2000 image."),
    "jxl": (".jxl", b"\xff\x0a", "A JPEG XL image."),
    "pdf": (".pdf", b"%PDF-1.7\n", "A PDF document."),
}


def _marked(mark: bytes) -> Callable[[int], bytes]:
    return lambda seed: mark + noise(seed, 3000)


KINDS: tuple[Kind, ...] = (
    image("empty", "A file without a byte.", ".tif", lambda seed: b"", BAD),
    image("zeros", "A file of zeros.", ".tif", lambda seed: bytes(100_000), BAD),
    image("noise", "A file of noise.", ".tif", lambda seed: b"~" + noise(seed, 5000), BAD),
    image("one_byte", "A file of one byte.", ".tif", lambda seed: b"I", BAD),
    image("text", "A list of names.", ".txt", lambda seed: b"Image names, one a line\n", BAD),
    image("text_named_tif", "A text named .tif.", ".tif", lambda seed: b"not pixels\n", BAD),
    image(
        "html_named_png",
        "A server's error page, saved as an image.",
        ".png",
        lambda seed: b"<!DOCTYPE html><p>404",
        BAD,
    ),
    *(image(f"{name}_file", what, suffix, _marked(mark), OTHER) for name, (suffix, mark, what) in _FOREIGN.items()),
    Kind("archive_named_tif", "A sound archive named .tif.", ".tif", beside(), {GOOD: LABELLED}),
    image("png_named_tif", "A PNG image named .tif.", ".tif", lambda seed: png(pixels(seed=seed)), LABELLED),
    image(
        "jpeg_named_tif",
        "A JPEG image named .tif.",
        ".tif",
        lambda seed: jpeg(pixels(dtype="uint8", seed=seed)),
        LABELLED,
    ),
    image("tiff_named_png", "A TIFF image named .png.", ".png", lambda seed: tiff(pixels(seed=seed)), LABELLED),
)
