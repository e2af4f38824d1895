"""TIFF images of every kind: which pages and samples belong to the channel that was asked for, and their pixels."""

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage, TiffPageSeries

from storage.ifds import COMPRESSIONS, FLOAT, UINT, Page, read_pages
from storage.limits import check_size
from storage.ome import read_ome
from storage.rasters import MAX_SCANS, jpeg_frame
from storage.scale import Size, from_imagej, from_ome, from_resolution
from storage.unreadable import Unreadable

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MIN_IS_WHITE, _RGB, _PALETTE, _YCBCR, _JPEG = 0, 2, 3, 6, 7
_COLOURS = (_RGB, _YCBCR)
MAX_SHARED = 8
"""So many times the file's bytes may be unpacked, where strips or tiles share them."""
_SQUARE = 1.01
"""Up to this ratio of its sides a pixel counts as square."""
_IMAGES = re.compile(r"\AImageJ=.*?^images=(\d{1,9})$", re.DOTALL | re.MULTILINE)

logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # what matters of its complaints is raised here, in words


@dataclass(frozen=True, slots=True)
class Tiff:
    """Pixels (planes, H, W, samples) of one channel out of `channels`, or of all colours; `pixel_size` in µm."""

    pixels: NDArray[Any]
    colours: bool
    pixel_size: float | None
    channels: int = 1
    names: tuple[str, ...] = ()
    """Of the channels, where the file says them."""


def read_tiff(data: bytes, name: str, channel: int | None) -> Tiff:
    """Read one channel of a TIFF file, checked before anything is decoded.

    Parameters
    ----------
    data
        The file.
    name
        What the image is called in sentences.
    channel
        Of the separate channels, counted from 1; the first if none. Colours are left to the caller.
    """
    pages = read_pages(data, name)
    first = pages[0]
    _check_kind(first, name)
    # Closed, the file lets go of the data: tifffile's objects form a cycle that would hold it until it is collected.
    with BytesIO(data) as file, TiffFile(file, _multifile=False, is_scn=False) as tif:
        page, names = tif.pages.first, tuple[str, ...]()
        if page.dtype is None:
            raise Unreadable("unsupported", f"{name} has values of different kinds in one pixel; save it as RGB")
        if len(pages) == 1 and first.samples == 1 and "images=" not in page.description:
            _index(1, name, channel if page.photometric != _PALETTE else None)
            _check_sharing(data, [page], name)
            pixels, axes, channels = _decoded(data, page, name), "YX", 1
        else:
            names = read_ome(tif.ome_metadata or "", name)
            _check_alone(tif.series, name)
            pixels, axes, channels = _channel(data, tif.series[0], first, name, channel)
        return replace(_finished(pixels, axes, page, first, name, channel), channels=channels, names=names)


def _check_alone(series: Sequence[TiffPageSeries], name: str) -> None:
    """Only the first image or stack of a file is read: nothing but smaller copies and slide labels may follow it."""
    first, *others = series
    if first.kind == "ome":  # a slide's label and overview follow it as images of other sizes
        others = [each for each in others if _side(each) == _side(first)]
    elif first.kind in ("generic", "shaped", "uniform"):
        others = [each for each in others if not each.keyframe.is_reduced]
    else:  # a scanner's or program's own format
        return
    if others:
        sizes = dict.fromkeys(f"{each.keyframe.imagewidth} x {each.keyframe.imagelength}" for each in (first, *others))
        what = f"of {' and '.join(list(sizes)[:4])} px" if len(sizes) > 1 else f"of {next(iter(sizes))} px side by side"
        raise Unreadable(
            "unsupported",
            f"{name} holds {len(others) + 1} images or stacks {what}; save each as a file of its own",
        )


def _side(series: TiffPageSeries) -> tuple[int, int]:
    return series.keyframe.imagewidth, series.keyframe.imagelength


def _check_kind(page: Page, name: str) -> None:
    if page.compression not in COMPRESSIONS:
        raise Unreadable("unsupported", f"{name} is packed with TIFF compression {page.compression}; save it with LZW")
    if page.kind == UINT and page.bits in range(2, 17):
        return
    if page.kind != FLOAT:  # floats are looked at: those with NaN are broken
        raise _unsupported(page.dtype, name)


def _unsupported(dtype: str, name: str) -> Unreadable:
    return Unreadable("unsupported", f"{name} is a {dtype} image; uint8 and uint16 are read, so convert it first")


def _channel(
    data: bytes, series: TiffPageSeries, first: Page, name: str, channel: int | None
) -> tuple[NDArray[Any], str, int]:
    """The pixels of a series that belong to the channel, the meaning of their axes, and how many channels there are."""
    axes, shape = series.axes, series.shape
    if "S" in axes and first.photometric not in _COLOURS and "C" not in axes:
        axes = axes.replace("S", "C")
    lengths = dict(zip(axes, shape, strict=True))
    colours, channels = lengths.get("S", 1), lengths.get("C", 1)
    planes = int(np.prod([n for axis, n in lengths.items() if axis not in "CSYX"], dtype=np.int64))
    _check_promise(series.keyframe.description, planes * channels, first, name)
    index = _index(channels, name, channel if colours == 1 or channels > 1 else None)
    check_size(name, planes, lengths["Y"], lengths["X"], 1)
    check_size(name, 1, planes * lengths["Y"], lengths["X"], colours, series.dtype.itemsize)
    if series.dataoffset is not None and first.compression == 1:
        whole = _in_place(data, series, name)
        whole = whole.take(index, axes.index("C")) if "C" in axes else whole
        return whole, axes.replace("C", ""), channels
    return *_page_by_page(data, series, axes, name, index), channels


def _check_promise(description: str, images: int, page: Page, name: str) -> None:
    """ImageJ writes how many images follow the first; tifffile passes over a number that the file can't hold."""
    promised = _IMAGES.search(description)
    if promised and int(promised.group(1)) > images:
        check_size(name, int(promised.group(1)), page.height, page.width)
        raise Unreadable(
            "bad_input", f"{name} is cut short: it should hold {promised.group(1)} images and holds {images}"
        )


def _index(channels: int, name: str, channel: int | None) -> int:
    if channel is not None and channel > channels:
        count = f"{channels} channels" if channels > 1 else "one channel"
        raise Unreadable("bad_input", f"{name} has {count}; channel {channel} was asked for")
    return (channel or 1) - 1


def _in_place(data: bytes, series: TiffPageSeries, name: str) -> NDArray[Any]:
    """Pixels that lie in the file in one piece, without a copy."""
    assert series.dataoffset is not None and series.parent is not None
    dtype = series.dtype.newbyteorder(series.parent.byteorder)
    count = int(np.prod(series.shape, dtype=np.int64))
    if series.dataoffset + count * dtype.itemsize > len(data):
        raise Unreadable("bad_input", f"{name} is cut short: it ends within its pixels")
    return np.frombuffer(data, dtype, count, series.dataoffset).reshape(series.shape)


def _page_by_page(data: bytes, series: TiffPageSeries, axes: str, name: str, index: int) -> tuple[NDArray[Any], str]:
    """Decode only the pages of the channel."""
    inner = len(series.keyframe.shape)
    outer = series.shape[: len(axes) - inner]
    outer_axes, inner_axes = axes[: len(outer)], axes[len(outer) :]
    numbers: NDArray[Any] = np.arange(int(np.prod(outer, dtype=np.int64))).reshape(outer)
    if "C" in outer_axes:
        numbers = numbers.take(index, outer_axes.index("C"))
    wanted = [series[int(number)] if number < len(series) else None for number in numbers.ravel()]
    planes = []
    _check_sharing(data, wanted, name)
    for page in wanted:
        if page is None:
            raise Unreadable("bad_input", f"{name} lacks planes: its description names {series.shape}")
        pixels = _decoded(data, page, name)
        planes.append(pixels.take(index, inner_axes.index("C")) if "C" in inner_axes else pixels)
    return np.stack(planes), "P" + inner_axes.replace("C", "")


def _decoded(data: bytes, page: Any, name: str) -> NDArray[Any]:
    """One page's pixels, once all of its pieces are known to be there."""
    key = page.keyframe  # pages like the first have only places of their own
    if key.photometric == _YCBCR and key.compression != _JPEG and key.subsampling not in (None, (1, 1)):
        raise Unreadable("unsupported", f"{name} has colours of a lower resolution than its pixels; save it as RGB")
    _check_pieces(data, page, name)
    if key.compression == _JPEG:
        _check_jpegs(data, page, name)
    pixels: NDArray[Any] = page.asarray(maxworkers=1)
    return pixels


def _check_sharing(data: bytes, pages: Sequence[Any], name: str) -> None:
    """Strips and tiles may lie in one place, but hundreds of thousands of long ones would take hours to unpack."""
    lengths = (length for page in pages if page is not None for length in page.databytecounts)
    if sum(min(length, len(data)) for length in lengths) > MAX_SHARED * len(data):
        raise Unreadable("bad_input", f"{name} says of too many of its pieces that they lie in the same place")


def _check_pieces(data: bytes, page: Any, name: str) -> None:
    """All strips or tiles lie in the file; tifffile makes up those that nobody speaks of."""
    key, places, lengths = page.keyframe, page.dataoffsets, page.databytecounts
    if any(not length or start + length > len(data) for start, length in zip(places, lengths, strict=True)):
        raise Unreadable("bad_input", f"{name} is cut short: it ends within its pixels")
    needed = key.nbytes * key.bitspersample // (8 * key.dtype.itemsize)
    if key.compression == 1 and sum(lengths) < needed:
        raise Unreadable("bad_input", f"{name} is cut short: it has fewer pixels than its header says")
    in_one = key.compression == 1 and len(places) == 1
    if len(places) < math.prod(key.chunked) and not in_one:
        raise Unreadable("bad_input", f"{name} is cut short: it has only {len(places)} pieces of a page")


def _check_jpegs(data: bytes, page: Any, name: str) -> None:
    """JPEG streams inside a TIFF say once more how large they are."""
    key = page.keyframe
    height, width = (key.tilelength, key.tilewidth) if key.is_tiled else (key.imagelength, key.imagewidth)
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if data.count(b"\xff\xda", start, start + length) > MAX_SCANS:
            raise Unreadable("bad_input", f"{name} holds a JPEG image with more than {MAX_SCANS} passes")
        frame = jpeg_frame(memoryview(data)[start : start + length])
        if frame is None or frame.height > height or frame.width > width or frame.samples > 4:
            raise Unreadable("bad_input", f"{name} is damaged: a piece of it is no fitting JPEG image")


def _finished(pixels: NDArray[Any], axes: str, page: TiffPage, first: Page, name: str, channel: int | None) -> Tiff:
    """Order the axes, apply palettes and inversion, and look at what floats hold."""
    if first.kind == FLOAT:
        if np.isnan(pixels).any():
            raise Unreadable("bad_input", f"{name} holds NaN (not a number) where pixels should be")
        raise _unsupported(first.dtype, name)
    if "S" not in axes:
        pixels, axes = pixels[..., np.newaxis], axes + "S"
    order = [number for number, axis in enumerate(axes) if axis not in "YXS"] + [axes.index(axis) for axis in "YXS"]
    pixels = pixels.transpose(order)
    pixels = pixels.reshape(-1, *pixels.shape[-3:])
    if page.photometric == _PALETTE:
        if page.colormap is None:
            raise Unreadable("bad_input", f"{name} is damaged: it lacks the colours that its pixels stand for")
        pixels = np.moveaxis(_colours(page.colormap)[:, pixels[..., 0]], 0, -1)
    if page.photometric == _MIN_IS_WHITE:
        pixels = (1 << first.bits) - 1 - pixels
    return Tiff(pixels, pixels.shape[-1] > 1, _pixel_size(page, name))


def _colours(colormap: NDArray[Any]) -> NDArray[Any]:
    """A palette (3, entries) with 8 bits where it has no more; some programs write those into the lower byte."""
    if colormap.max() < 256:
        return colormap.astype(np.uint8)
    return (colormap >> 8).astype(np.uint8) if (colormap % 257 == 0).all() or (colormap % 256 == 0).all() else colormap


def _pixel_size(page: TiffPage, name: str) -> float | None:
    size = _told_size(page)
    if size is None:
        return None
    if max(size) > _SQUARE * min(size):
        width, height = (f"{side:g}" for side in size)
        raise Unreadable("unsupported", f"{name} has pixels of {width} x {height} µm; only square ones are read")
    return size[0]


def _told_size(page: TiffPage) -> Size | None:
    resolution = _per_unit(page, 282), _per_unit(page, 283)
    if page.is_imagej:
        return from_imagej(page.description, resolution)
    unit = page.tags.get(296)
    return from_ome(page.description) or from_resolution(resolution, int(unit.value) if unit is not None else 2)


def _per_unit(page: TiffPage, code: int) -> float | None:
    tag = page.tags.get(code)
    if tag is None or not isinstance(tag.value, tuple) or len(tag.value) != 2:
        return None
    pixels, units = tag.value
    return pixels / units if pixels and units else None
