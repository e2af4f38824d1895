"""The size of a pixel, where a TIFF file says it with its unit."""

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
_PIXELS = re.compile(r"<(?:\w+:)?Pixels\b[^>]*>")
_SIZE = re.compile(r"""\bPhysicalSizeX\s*=\s*["']([^"']*)["']""")
_UNIT = re.compile(r"""\bPhysicalSizeXUnit\s*=\s*["']([^"']*)["']""")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def from_ome(description: str) -> float | None:
    """Size of a pixel (µm) in OME-XML: `PhysicalSizeX` of the first image."""
    element = _PIXELS.search(description)
    size = _SIZE.search(element.group()) if element else None
    if element is None or size is None:
        return None
    unit = _UNIT.search(element.group())
    return _plausible(size.group(1), unit.group(1) if unit else "", LARGEST)


def from_imagej(description: str, resolution: float | None) -> float | None:
    """Size of a pixel (µm) where ImageJ wrote the unit into the description, and pixels per unit as resolution."""
    lines: Mapping[str, str] = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    unit = _ESCAPED.sub(lambda code: chr(int(code.group(1), 16)), lines.get("unit", "")).strip()
    return _plausible(1 / resolution, unit, LARGEST) if resolution and unit else None


def from_resolution(resolution: float | None, unit: int) -> float | None:
    """Size of a pixel (µm) from pixels per inch (2) or centimetre (3), unless a printer would say the same."""
    if not resolution or unit not in (2, 3):
        return None
    return _plausible(1 / resolution, "inch" if unit == 2 else "cm", _LARGEST_PRINTED)


def _plausible(size: float | str, unit: str, largest: float) -> float | None:
    try:
        microns = float(size) * MICRONS[unit.strip().lower()]
    except (ValueError, KeyError):
        return None
    return round(microns, 9) if SMALLEST < microns < largest else None
