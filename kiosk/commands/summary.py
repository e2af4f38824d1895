"""What a folder of results amounts to, in a few lines: what was looked at, at which size, and how much was found."""

import statistics
from collections import Counter
from typing import TYPE_CHECKING

from kiosk.commands.screen import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kiosk.commands.folder import Found

SHOWN = 3
"""So many choices of a channel are told, the most frequent first; so many doubtful images are named."""


def lines(found: "Found") -> list[str]:
    """What a person should know before believing the labels; what speaks against them comes last."""
    return [*_channels(found), *_size(found), *_cells(found), *_doubts(found)]


def _channels(found: "Found") -> "Iterator[str]":
    hint = "" if found.channel else "; --channel picks another"
    for (channel, channels, name), count in Counter(found.chosen).most_common(SHOWN):
        called = f" ({name})" if name else ""
        yield f"channel {channel}{called} of {channels} was used in {amount(count, 'image')}{hint}"


def _size(found: "Found") -> "Iterator[str]":
    known = [size for size in found.sizes if size]
    unknown = len(found.sizes) - len(known)
    if found.diameter:
        yield f"objects of about {found.diameter:g} pixels, as submitted"
    elif found.submitted:
        yield f"pixel size {found.submitted:g} µm, as submitted"
    else:
        if known:
            some = unknown or found.estimated
            files = f"the files of {amount(len(known), 'image')}" if some else "the files"
            yield f"pixel size {_range(known)} µm, from {files}"
        if found.estimated:
            which = f" in {amount(len(found.estimated), 'image')}" if known or unknown else ""
            middle = f", {statistics.median(found.estimated):.4g} in the middle" if len(found.estimated) > 1 else ""
            yield f"no size given: objects of about {_range(found.estimated)} pixels{middle}, as estimated{which}"
        if unknown and found.usual:
            where = amount(unknown, "image") if known or found.estimated else "the files"
            yield f"no pixel size in {where} and none given: objects of about {found.usual:g} pixels were assumed"


def _range(sizes: "Sequence[float]") -> str:
    low, high = f"{min(sizes):.4g}", f"{max(sizes):.4g}"
    return low if low == high else f"{low} to {high}"


def _cells(found: "Found") -> "Iterator[str]":
    if found.cells:
        total, images = amount(sum(found.cells), "cell"), amount(len(found.cells), "image")
        yield f"{total} in {images}, {found.median:g} per image (median)"


def _doubts(found: "Found") -> "Iterator[str]":
    if found.reduced:
        yield f"overlays of {amount(found.reduced, 'image')} are reduced: their longer side is {found.longest} pixels"
    if found.contradicting:
        files, said = amount(len(found.contradicting), "image"), statistics.median(found.contradicting)
        yield f"check the pixel size: {found.submitted:g} µm was submitted, the files of {files} say {said:g} µm"
    yield from doubtful(found.doubtful)


def doubtful(images: "Sequence[tuple[str, Sequence[str]]]") -> "Iterator[str]":
    """Which images to look at before they are believed, by name, and why."""
    if not images:
        return
    reasons = Counter(reason for _, reasons in images for reason in reasons)
    counted = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    yield f"look at {amount(len(images), 'image')} before you trust the labels: {counted}"
    for name, why in images[:SHOWN]:
        yield f"  {name}: {', '.join(why)}"
    if len(images) > SHOWN:
        yield f"  and {len(images) - SHOWN} more; `flags` in images.csv names all"
