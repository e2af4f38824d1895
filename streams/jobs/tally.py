"""Bitmaps of what became of a job's images. They only grow, so the OR of any two owners' tallies is right."""

from collections.abc import Iterable, Iterator, Mapping

LABELLED = 1
REJECTED = 2


class Tally:
    """Two bits an image: labelled, rejected. Labelled wins."""

    def __init__(self, labelled: int = 0, rejected: int = 0) -> None:
        self.labelled = labelled
        self.rejected = rejected

    def mark(self, image: int, outcome: int) -> None:
        """Tick one image off; twice is the same as once."""
        if outcome == LABELLED:
            self.labelled |= 1 << image
        else:
            self.rejected |= 1 << image

    def knows(self, image: int) -> bool:
        """Whether this image has been ticked off."""
        return bool((self.labelled | self.rejected) >> image & 1)

    def merge(self, other: "Tally") -> None:
        """Take over what another owner ticked off."""
        self.labelled |= other.labelled
        self.rejected |= other.rejected

    def counts(self) -> tuple[int, int]:
        """How many images are (labelled, rejected)."""
        return self.labelled.bit_count(), (self.rejected & ~self.labelled).bit_count()

    def ended(self) -> int:
        """How many images have ended."""
        return (self.labelled | self.rejected).bit_count()

    def encode(self) -> bytes:
        """Both bitmaps, each with its length in bytes before it."""
        return b"".join(_packed(bits) for bits in (self.labelled, self.rejected))

    @classmethod
    def decode(cls, data: bytes) -> "Tally":
        """The inverse of `encode`."""
        size = int.from_bytes(data[:4], "big")
        return cls(int.from_bytes(data[4 : 4 + size], "little"), int.from_bytes(data[8 + size :], "little"))


class RoundTallies:
    """A job's tallies by round, and which images each replay sent through again.

    Parameters
    ----------
    replays
        The images of each round after the first, as bitmaps.
    """

    def __init__(self, replays: Mapping[int, int] | None = None) -> None:
        self.replays = dict(replays or {})
        self.rounds: dict[int, Tally] = {}

    @property
    def newest(self) -> int:
        """The newest round."""
        return max(self.replays, default=0)

    def of(self, round_: int) -> Tally:
        """The tally of one round."""
        return self.rounds.setdefault(round_, Tally())

    def merge(self, other: "RoundTallies") -> None:
        """Take over what is known of more rounds, or from other owners."""
        self.replays |= other.replays
        for round_, tally in other.rounds.items():
            self.of(round_).merge(tally)

    def holds(self, image: int, labelled: bool, round_: int) -> bool:
        """Whether this outcome has been ticked off."""
        tally = self.rounds.get(round_, Tally())
        return bool(1 << image & (self._labelled() if labelled else tally.rejected))

    def own(self, images: int) -> Iterator[tuple[int, int]]:
        """(round, bitmap) of the images for which a round is the current one, the newest first."""
        taken = 0
        for round_ in sorted(self.replays, reverse=True):
            yield round_, self.replays[round_] & ~taken
            taken |= self.replays[round_]
        yield 0, (1 << images) - 1 & ~taken

    def round_of(self, image: int) -> int:
        """The image's current round: the newest whose list holds it."""
        return max((round_ for round_, listed in self.replays.items() if listed >> image & 1), default=0)

    def standing(self, images: int | None = None) -> Tally:
        """What became of each of so many images: labels of any round, rejections of its current round only."""
        if images is None:
            images = max((max(t.labelled, t.rejected).bit_length() for t in self.rounds.values()), default=0)
        standing = Tally(self._labelled() & (1 << images) - 1)
        for round_, own in self.own(images):
            standing.rejected |= self.rounds.get(round_, Tally()).rejected & own
        return standing

    def missing(self, images: int) -> dict[int, int]:
        """By round, the images that have no outcome, as bitmaps; rounds without any are left out."""
        standing = self.standing(images)
        ended = standing.labelled | standing.rejected
        return {round_: own & ~ended for round_, own in self.own(images) if own & ~ended}

    def _labelled(self) -> int:
        labelled = 0
        for tally in list(self.rounds.values()):  # copied at once: also asked in other threads
            labelled |= tally.labelled
        return labelled


def bitmap(images: Iterable[int]) -> int:
    """The bitmap of some images; setting bits one by one in a number would copy it for each."""
    data = bytearray()
    for image in images:
        if image >> 3 >= len(data):
            data.extend(bytes(max(len(data), (image >> 3) + 1 - len(data))))
        data[image >> 3] |= 1 << (image & 7)
    return int.from_bytes(data, "little")


def numbers(bits: int) -> Iterator[int]:
    """The images of a bitmap, in order."""
    for place, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            yield from (place * 8 + bit for bit in range(8) if byte >> bit & 1)


def _packed(bits: int) -> bytes:
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    return len(data).to_bytes(4, "big") + data
