"""`methods.txt`: what was done, in sentences for a methods section, made from the manifest alone."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Facts = Mapping[str, Any]
"""The manifest but for its images."""
Line = TypeVar("Line", bound=Mapping[str, Any])


@dataclass(slots=True)
class Summed:
    """What the images of a manifest amount to."""

    fates: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    flagged: int = 0
    cells: int = 0
    stacks: int = 0
    several_channels: int = 0
    contradicting: int = 0
    known_sizes: int = 0
    unknown_sizes: int = 0
    smallest: float = float("inf")
    """Known pixel size, in µm."""
    largest: float = 0.0
    estimated: list[float] = field(default_factory=list)
    """Diameters in px, each of an image of unknown pixel size."""

    def watching(self, images: Iterable[Line]) -> Iterator[Line]:
        """The same images, summed up as they pass."""
        for image in images:
            self._take(image)
            yield image

    def _take(self, image: Mapping[str, Any]) -> None:
        self.fates[image["fate"]] += 1
        if "reason" in image:
            self.reasons[image["reason"]] += 1
        if "cells" not in image:
            return
        self.cells += image["cells"]
        self.stacks += image.get("planes", 1) > 1
        self.several_channels += "channels" in image
        self.contradicting += "pixel_size_in_file_um" in image
        self.flags.update(image.get("flags", ()))
        self.flagged += bool(image.get("flags"))
        if "estimated_diameter_px" in image:
            self.estimated.append(image["estimated_diameter_px"])
        else:
            self._size(image.get("pixel_size_um"))

    def _size(self, size: float | None) -> None:
        if size is None:
            self.unknown_sizes += 1
        else:
            self.known_sizes += 1
            self.smallest, self.largest = min(self.smallest, size), max(self.largest, size)


def text(facts: Facts, summed: Summed) -> str:
    """Paragraphs, one a line."""
    paragraphs = (
        " ".join(_analysis(facts, summed)),
        " ".join(_measured(summed)),
        " ".join(_counts(summed)),
        " ".join(_citations(facts)),
    )
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _analysis(facts: Facts, summed: Summed) -> Iterator[str]:
    model = facts["model"]
    version = f" version {model['version']}" if model["version"] else ""
    yield (
        f"Objects were segmented with Monolayer {facts['monolayer']} and its model {model['name']}{version} "
        f"(SHA-256 of description and weights: {model['digest']}; job {facts['job']['job']}, {facts['created'][:10]})."
    )
    yield from _channel(facts, summed)
    if low_high := model.get("normalised_between_percentiles"):
        low, high = low_high
        yield f"Intensities were normalised between the percentiles {low:g} and {high:g} of each plane."
    yield from _scale(facts, summed)
    yield _post_processing(facts["post_processing"])


def _channel(facts: Facts, summed: Summed) -> Iterator[str]:
    if channel := facts["options"].get("channel"):
        yield f"Channel {channel}, counted from 1, was analysed, as specified."
    elif summed.several_channels:
        yield f"No channel was specified; in {_images(summed.several_channels)} with several the first was analysed."


def _scale(facts: Facts, summed: Summed) -> Iterator[str]:
    options, model = facts["options"], facts["model"]
    trained, usual = model["trained_at_pixel_size_um"], model["trained_at_diameter_px"]
    at = f" to the {trained:g} µm per pixel at which the model was trained" if trained else " to the model's scale"
    to = f", so that this became the {usual:g} pixels for which the model was trained" if usual else ""
    if diameter := options.get("diameter"):
        yield f"The typical diameter of an object was given as {diameter:g} pixels, and images were rescaled{to}."
    elif size := options.get("pixel_size"):
        yield f"The pixel size was given as {size:g} µm, and images were rescaled{at}."
        if summed.contradicting:
            yield f"The files of {_images(summed.contradicting)} state another pixel size."
    else:
        yield from _sizes(summed, at, to, usual)


def _sizes(summed: Summed, at: str, to: str, usual: float | None) -> Iterator[str]:
    """Where nothing was given: what files said, and what was assumed."""
    low, high = f"{summed.smallest:.4g}", f"{summed.largest:.4g}"
    if summed.known_sizes:
        which = f" of {_images(summed.known_sizes)}" if summed.unknown_sizes else ""
        size = low if low == high else f"{low} to {high}"
        yield f"The pixel size{which} was taken from the image files ({size} µm), and images were rescaled{at}."
    if summed.estimated:
        least, most = f"{min(summed.estimated):g}", f"{max(summed.estimated):g}"
        sizes = least if least == most else f"{least} to {most}"
        yield (
            f"Of {_images(len(summed.estimated))} nothing was known of sizes: the typical diameter of an object was "
            f"estimated with the model ({sizes} pixels, {statistics.median(summed.estimated):g} in the middle), and "
            f"images were rescaled{to}."
        )
    if summed.unknown_sizes:
        which = _images(summed.unknown_sizes) if summed.known_sizes or summed.estimated else "the images"
        assumed = f"objects of about {usual:g} pixels were assumed" if usual else "the model's own scale was assumed"
        yield f"The pixel size of {which} was neither given nor in the files: {assumed}, without rescaling."


def _post_processing(how: Mapping[str, float]) -> str:
    return (
        f"The predicted distance to an object's edge was smoothed (Gaussian, sigma {how['smoothing_px']:g} pixels at "
        "the model's scale) and divided by a watershed within the predicted foreground (probability of at least "
        f"{how['foreground_threshold']:.2g}). Maxima were separate objects where the valley between them was deeper "
        f"than {how['prominence_threshold']:.2g} of the full range; objects whose maximum "
        f"was below {how['summit_threshold']:.2g} of it, and those of fewer than "
        f"{how['smallest_object_px']:g} pixels at that scale were dropped."
    )


def _measured(summed: Summed) -> Iterator[str]:
    if summed.cells:
        yield (
            "For each object area, centroid, bounding box, diameter of the circle of equal area, and mean and total "
            "intensity in the analysed channel were measured, without background subtraction. Objects that touch the "
            "image's border are included, and marked as such."
        )
    if summed.stacks:
        yield "Each plane of a stack was treated as an image of its own."


def _counts(summed: Summed) -> Iterator[str]:
    labelled = summed.fates["labelled"]
    yield f"Of {_images(summed.fates.total())} {labelled} {_were(labelled)} labelled,"
    yield f"with {summed.cells:,} {'object' if summed.cells == 1 else 'objects'} in all."
    if rejected := summed.fates["rejected"]:
        yield f"{_images(rejected)} {_were(rejected)} rejected ({_listed(summed.reasons)})."
    for fate, words in (("cancelled", "cancelled"), ("in flight", "not done yet")):
        if count := summed.fates[fate]:
            yield f"{_images(count)} {_were(count)} {words}."
    if summed.flagged:
        yield f"{_images(summed.flagged)} {_were(summed.flagged)} flagged ({_listed(summed.flags)})."


def _citations(facts: Facts) -> Iterator[str]:
    if lines := facts["model"].get("citations"):
        yield f"References for the model: {'; '.join(lines)}."


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counted.most_common())
