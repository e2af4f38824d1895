"""All kinds of hostile files there are, by name."""

from loadgen.hostile import (
    archives,
    bombs,
    broken_tiffs,
    lying_members,
    lying_tiffs,
    members,
    pictures,
    strangers,
    tiffs,
)
from loadgen.hostile.kinds import Kind

_SOURCES = (archives, bombs, members, lying_members, tiffs, broken_tiffs, lying_tiffs, pictures, strangers)
KINDS: dict[str, Kind] = {kind.name: kind for source in _SOURCES for kind in source.KINDS}
"""Each kind of file by its name."""
