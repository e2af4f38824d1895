"""Files that have to be refused, with their reason: those kinds of the corpus that always end the same.

`BAD_IMAGES` and `BAD_ARCHIVES` are refused as a whole. Used by the end-to-end tests as well.
"""

from contextlib import suppress

from loadgen.hostile.corpus import KINDS
from loadgen.hostile.kinds import WHOLE, Kind
from storage.archives import is_zip, list_members, ranges
from storage.images import read_image
from storage.memory import MemoryStore
from storage.sources import read_source
from storage.unreadable import Unreadable
from streams.events import Source

Bad = dict[str, tuple[bytes, str]]


def _refused(kind: Kind) -> bool:
    ends = kind.ends.get(WHOLE, ())
    return len(ends) == 1 and ends[0] != "labelled"


def _made(images: bool) -> Bad:
    wanted = [kind for kind in KINDS.values() if kind.is_image is images and _refused(kind)]
    return {kind.file: (kind.make(1), kind.ends[WHOLE][0]) for kind in wanted}


BAD_IMAGES: Bad = _made(images=True)
BAD_ARCHIVES: Bad = _made(images=False)
FEW_ARCHIVES = ("zip_of_text.zip", "zip_cut_in_a_member.zip", "zip_of_litter.zip", "zip_of_several_volumes.zip")
"""Of bad archives, for tests in which each takes seconds."""


def digest(name: str, data: bytes) -> int:
    """Read a file to its end, an archive with all its members; returns how many images could be read."""
    if not is_zip(data):
        return _read(data, name)
    store, found = MemoryStore(), 0
    etag = store.put(name, data)
    with suppress(Unreadable):
        for member in list_members(ranges(store, name, etag, len(data)), len(data), name):
            place = {each: getattr(member, each) for each in ("offset", "span", "packed", "size", "method", "crc")}
            if not member.problem:
                with suppress(Unreadable):
                    found += _read(read_source(store, Source(key=name, etag=etag, **place), member.name), member.name)
    return found


def _read(data: bytes, name: str) -> int:
    with suppress(Unreadable):
        read_image(data, name)
        return 1
    return 0
