"""A bitmap of what became of a job's images. It only grows, so the OR of any two owners' tallies is right."""

LABELLED = 1
REJECTED = 2


class Tally:
    """Two bits an image: labelled, rejected. Labelled wins."""

    def __init__(self) -> None:
        self.labelled = 0
        self.rejected = 0

    def mark(self, image: int, outcome: int) -> None:
        """Tick one image off; twice is the same as once."""
        if outcome == LABELLED:
            self.labelled |= 1 << image
        else:
            self.rejected |= 1 << image

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
        tally = cls()
        size = int.from_bytes(data[:4], "big")
        tally.labelled = int.from_bytes(data[4 : 4 + size], "little")
        tally.rejected = int.from_bytes(data[8 + size :], "little")
        return tally


def _packed(bits: int) -> bytes:
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    return len(data).to_bytes(4, "big") + data
