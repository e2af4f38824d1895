"""Ways to damage bytes at random."""

import random
import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
TELLING = (
    0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 63, 64, 127, 128, 255, 256, 4095, 65_535, 65_536, 1 << 24, 0x7FFFFFFF,
    0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
"""Numbers at which programs go wrong."""


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """A damaged copy; parts of others may be in it. Checksums of a PNG image are mostly put right again."""
    copy = bytearray(data)
    for _ in range(1 << chance.randrange(5)):
        chance.choice(WAYS)(copy, others, chance)
    return repaired(bytes(copy)) if copy.startswith(PNG) and chance.random() < 0.9 else bytes(copy)


def _place(data: bytearray, chance: random.Random) -> int:
    """More often near an end, where headers and directories are."""
    where, length = chance.random(), max(1, len(data))
    if where < 0.4:
        return chance.randrange(min(length, 400))
    return length - 1 - chance.randrange(min(length, 400)) if where < 0.6 else chance.randrange(length)


def _flip(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _byte(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    if data:
        data[_place(data, chance)] = chance.randrange(256)


def _number(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    form = chance.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(form)
    at = _place(data, chance) & ~1
    data[at : at + size] = struct.pack(form, chance.choice(TELLING) & ((1 << 8 * size) - 1))


def _nudge(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    at = _place(data, chance) & ~1
    if at + 4 <= len(data):
        (number,) = struct.unpack_from("<I", data, at)
        struct.pack_into("<I", data, at, (number + chance.randint(-40, 40)) & 0xFFFFFFFF)


def _copy(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    """A piece over, or between, what is elsewhere."""
    source, length = _place(data, chance), chance.randrange(1, 64)
    at = _place(data, chance)
    data[at : at + (length if chance.random() < 0.7 else 0)] = data[source : source + length]


def _remove(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.randrange(1, 64)]


def _cut(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    if chance.random() < 0.2:
        del data[_place(data, chance) :]


def _splice(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    other = chance.choice(others)
    if chance.random() < 0.2 and other:
        at = _place(data, chance)
        data[at : at + 64] = other[min(at, len(other) - 1) :][: chance.randrange(1, 400)]


WAYS = (_flip, _byte, _number, _number, _number, _nudge, _copy, _remove, _cut, _splice)


def repaired(data: bytes) -> bytes:
    """A PNG file with fitting checksums, as far as its pieces can be told apart."""
    copy, at = bytearray(data), len(PNG)
    while at + 12 <= len(copy):
        length = int.from_bytes(copy[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(copy):
            break
        copy[end : end + 4] = struct.pack(">I", zlib.crc32(copy[at + 4 : end]))
        at = end + 4
    return bytes(copy)
