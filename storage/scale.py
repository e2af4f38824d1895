"""The width and height of a pixel, where a TIFF file says them with their unit."""

import re
from collections.abc import Mapping

MICRONS = {
    "": 1.0, "m": 1e6, "cm": 1e4, "mm": 1e3, "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0,
    "micrometer": 1.0, "micrometre": 1.0, "nm": 1e-3, "pm": 1e-6, "å": 1e-4, "inch": 25400.0, "in": 25400.0,
}  # fmt: skip
"""Units as people write them, in µm; OME means µm when it names none."""
SMALLEST, LARGEST = 0.001, 1000.0
_LARGEST_PRINTED = 20.0
"""Resolutions without a program behind them are mostly those of a printer or a screen (µm)."""
_PIXELS = re.compile(r"<(?:\w+:)?Pixels\b[^<>]*>")
_SIZE = {axis: re.compile(rf"""\bPhysicalSize{axis}\s*=\s*["']([^"']*)["']""") for axis in "XY"}
_UNIT = {axis: re.compile(rf"""\bPhysicalSize{axis}Unit\s*=\s*["']([^"']*)["']""") for axis in "XY"}
Size = tuple[float, float]
"""Width and height of a pixel in µm; alike where a file tells only the width."""
Resolution = tuple[float | None, float | None]
"""Pixels per unit, across and down."""
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def from_ome(description: str) -> Size | None:
    """Size of a pixel in OME-XML: `PhysicalSizeX` and `PhysicalSizeY` of the first image."""
    found = _PIXELS.search(description)
    return _size(*(_attribute(found.group(), axis) for axis in "XY")) if found else None


def from_imagej(description: str, resolution: Resolution) -> Size | None:
    """Size of a pixel where ImageJ wrote the unit into the description, and pixels per unit as resolution."""
    lines: Mapping[str, str] = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    unit = _ESCAPED.sub(lambda code: chr(int(code.group(1), 16)), lines.get("unit", "")).strip()
    return _size(*(_inverse(pixels, unit, LARGEST) for pixels in resolution)) if unit else None


def from_resolution(resolution: Resolution, unit: int) -> Size | None:
    """Size of a pixel from pixels per inch (2) or centimetre (3), unless a printer would say the same."""
    if unit not in (2, 3):
        return None
    return _size(*(_inverse(pixels, "inch" if unit == 2 else "cm", _LARGEST_PRINTED) for pixels in resolution))


def _size(width: float | None, height: float | None) -> Size | None:
    return (width, height or width) if width else None


def _attribute(element: str, axis: str) -> float | None:
    size, unit = _SIZE[axis].search(element), _UNIT[axis].search(element)
    return _plausible(size.group(1), unit.group(1) if unit else "", LARGEST) if size else None


def _inverse(pixels: float | None, unit: str, largest: float) -> float | None:
    return _plausible(1 / pixels, unit, largest) if pixels else None


def _plausible(size: float | str, unit: str, largest: float) -> float | None:
    try:
        microns = float(size) * MICRONS[unit.strip().lower()]
    except (ValueError, KeyError):
        return None
    return round(microns, 9) if SMALLEST < microns < largest else None
