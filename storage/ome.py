"""What OME-XML in a TIFF file says, looked at before tifffile makes room for what it promises."""

from xml.etree import ElementTree

from storage.unreadable import Unreadable

MAX_PROMISED = 1 << 20
"""Planes of all images that one description tells of; a plate of many files is described whole in each of them."""
MAX_PLACES = 100_000
"""Elements that say where planes lie."""


def read_ome(xml: str, name: str) -> tuple[str, ...]:
    """What the channels of the first image are called, an empty text where one has no name.

    Broken XML is left to tifffile, which passes over it.

    Raises
    ------
    Unreadable
        The description promises more planes than any file holds: a list would be made of them all.
    """
    try:
        root = ElementTree.fromstring(xml)
        promised = sum(map(_planes, root.iter()))
    except ElementTree.ParseError:
        return ()
    except (ValueError, ZeroDivisionError):
        raise Unreadable("bad_input", f"{name} is damaged: its OME-XML has sizes that are no numbers") from None
    if promised > MAX_PROMISED:
        raise Unreadable("too_large", f"{name} promises {promised:.3g} planes; up to {MAX_PROMISED} are read")
    if sum(element.tag.endswith("TiffData") for element in root.iter()) > MAX_PLACES:
        raise Unreadable("too_large", f"{name} has OME-XML of more than {MAX_PLACES} planes; split it")
    pixels = next((element for element in root.iter() if element.tag.endswith("Pixels")), ())
    return tuple(element.get("Name", "") for element in pixels if element.tag.endswith("Channel"))


def _planes(element: ElementTree.Element) -> float:
    said = element.attrib
    if element.tag.endswith("Pixels"):
        return abs(float(said.get("SizeZ", 1)) * float(said.get("SizeC", 1)) * float(said.get("SizeT", 1)))
    if element.tag[:-1].endswith("Along") and "Start" in said:  # a further axis, said to lie within one of those
        return abs((float(said.get("End", 0)) - float(said["Start"])) / float(said.get("Step", 1)))
    return 0
